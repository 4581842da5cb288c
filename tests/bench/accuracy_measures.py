"""How good a grouping or a list of judged pairs is. Everything is counted by pairs of records, never sampled."""
from collections import Counter


def pairs_within(counter):
    return sum(count * (count - 1) // 2 for count in counter.values())


def f1_of(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def grouping(truth, predicted):
    """truth, predicted: record -> its group. A record that was not predicted is alone.

    Pairwise precision, recall and F1; and B-cubed F1, the same averaged over records (Bagga and Baldwin 1998)."""
    predicted = {record: predicted.get(record, ("alone", record)) for record in truth}
    true_sizes, sizes = Counter(truth.values()), Counter(predicted.values())
    both = Counter((truth[record], predicted[record]) for record in truth)
    right, together, true = pairs_within(both), pairs_within(sizes), pairs_within(true_sizes)
    records = len(truth) or 1
    precision_b = sum(count * count / sizes[group] for (_, group), count in both.items()) / records
    recall_b = sum(count * count / true_sizes[entity] for (entity, _), count in both.items()) / records
    precision = right / together if together else 1.0
    recall = right / true if true else 1.0
    return {"precision": precision, "recall": recall, "f1": f1_of(precision, recall),
            "b_cubed_f1": f1_of(precision_b, recall_b), "true_pairs": true}


def bound(truth, reachable):
    """F1 of the best grouping that evidence allows: parts of the true groups."""
    return grouping(truth, {record: (truth[record], reachable[record]) for record in truth})["f1"]


def closed(records, pairs):
    """The groups that pairs connect."""
    parent = {record: record for record in records}

    def root(record):
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for a, b in pairs:
        parent[root(a)] = root(b)
    return {record: root(record) for record in records}


def best_threshold(truth, scored):
    """scored: (probability, a, b), each pair once. The best F1 that any threshold gives, of the pairs as they are or
    of the groups they connect, with the threshold: what somebody would reach who knew the truth."""
    true = pairs_within(Counter(truth.values()))
    scored = sorted(scored, key=lambda pair: -pair[0])
    best = {"f1": 0.0, "precision": 0.0, "recall": 0.0, "threshold": 1.0, "of": "pairs"}
    right = 0
    for number, (probability, a, b) in enumerate(scored, 1):
        right += truth[a] == truth[b]
        if number < len(scored) and scored[number][0] == probability:
            continue
        f1 = 2 * right / (number + true)
        if f1 > best["f1"]:
            best = {"f1": f1, "precision": right / number, "recall": right / true, "threshold": probability,
                    "of": "pairs"}
    for threshold in [1 - 10.0 ** -power for power in (1, 1.3, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8)] + [0.3, 0.5, 0.7, 0.8]:
        measured = grouping(truth, closed(truth, [(a, b) for p, a, b in scored if p >= threshold]))
        if measured["f1"] > best["f1"]:
            best = {name: measured[name] for name in ("f1", "precision", "recall")}
            best.update(threshold=threshold, of="groups")
    return best


def labelled(pairs):
    """pairs: (said to be the same, is the same)."""
    counts = Counter(pairs)
    hit, false, missed, passed = (counts[key] for key in ((True, True), (True, False), (False, True), (False, False)))
    precision = hit / (hit + false) if hit + false else 1.0
    recall = hit / (hit + missed) if hit + missed else 1.0
    product = (hit + false) * (hit + missed) * (passed + false) * (passed + missed)
    return {"pairs": len(pairs), "precision": precision, "recall": recall, "f1": f1_of(precision, recall),
            "specificity": passed / (passed + false) if passed + false else 1.0,
            "mcc": (hit * passed - false * missed) / product ** 0.5 if product else 0.0}
