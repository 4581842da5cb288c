"""Splink 4 on a sheet, as its manual has it: u from random pairs, m by EM over several blockings, then predict.

    python splink_dedupe.py SHEET.csv SPEC.json PAIRS.csv [THRESHOLD...]

Runs in an environment that has the packages splink, duckdb and pandas (tests/bench/accuracy.py makes one under
build/). SPEC says what the columns are:

  comparisons    [[kind, column]]: name, date (ISO), date_digits, email, code, text, exact, exact_tf
  blocking       [[column, ...]]: a pair is predicted when it agrees in all columns of one of these
  deterministic  [[column, ...]] and recall: for the probability that two random records match
  training       [[column, ...]]: the blockings of the EM passes
  prepare        {"name": [full, given, family], "digits": [column, ...]}: what one would do to such columns first

Texts are put in lower case and trimmed, and what is empty is missing. Two threads. Writes a line per predicted pair,
probability,a,b and prints one JSON line with the seconds of training and of predicting. With thresholds (tests/bench/
speed.py) it also clusters at each, into PAIRS.csv.THRESHOLD (id,customer_id), and tells the seconds of each. A sheet of more than
100,000 rows is trained on that many of them.
"""
import json
import logging
import re
import sys
import time

import duckdb
import pandas
import splink.comparison_library as library
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THREADS = 2
RANDOM_PAIRS = 2e6
LEAST_PROBABILITY = 0.01
TRAINING_ROWS = 100000  # of a larger sheet so many, at random


def comparison(kind, column):
    if kind == "name":
        return library.NameComparison(column)
    if kind == "date":
        return library.DateOfBirthComparison(column, input_is_string=True)
    if kind == "date_digits":
        return library.DamerauLevenshteinAtThresholds(column, [1, 2])
    if kind == "email":
        return library.EmailComparison(column)
    if kind == "code":
        return library.DamerauLevenshteinAtThresholds(column, [1, 2])
    if kind == "text":
        return library.JaroWinklerAtThresholds(column, [0.92, 0.8]).configure(term_frequency_adjustments=True)
    return library.ExactMatch(column).configure(term_frequency_adjustments=kind == "exact_tf")


def read(path, spec):
    table = pandas.read_csv(path, dtype=str, keep_default_na=False)
    ids = table["id"]
    table = table.map(lambda text: text.strip().lower())
    table["id"] = ids
    prepare = spec.get("prepare", {})
    for column in prepare.get("digits", []):
        table[column] = table[column].map(lambda text: re.sub("[^0-9]", "", text))
    if "name" in prepare:
        whole, given, family = prepare["name"]
        parts = (table[given] + " " + table[family]).str.strip()
        table["name"] = table[whole].where(table[whole] != "", parts)
    return table.astype(object).where(table != "", None).rename(columns={"id": "unique_id"})


def cluster(linker, predictions, threshold, out):
    started, started_cpu = time.monotonic(), time.process_time()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, float(threshold))
    seconds, cpu_s = time.monotonic() - started, time.process_time() - started_cpu
    table = clusters.as_pandas_dataframe()[["unique_id", "cluster_id"]]
    table.columns = ["id", "customer_id"]
    table.to_csv(f"{out}.{threshold}", index=False)
    return {"s": seconds, "cpu_s": cpu_s}


def linker_over(table, settings, connection):
    return Linker(table, settings, DuckDBAPI(connection=connection), set_up_basic_logging=False)


def trained_linker(table, settings, connection, spec):
    """Over the whole table; u and m come from a sample of it where it is large, how likely two records match from all."""
    sample = table if len(table) <= TRAINING_ROWS else table.sample(TRAINING_ROWS, random_state=1)
    linker = linker_over(sample, settings, connection)
    deterministic = [block_on(*rule) for rule in spec["deterministic"]]
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=spec["recall"])
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    for rule in spec["training"]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    if sample is table:
        return linker
    whole = linker_over(table, linker.misc.save_model_to_json(), connection)
    whole.training.estimate_probability_two_random_records_match(deterministic, recall=spec["recall"])
    return whole


def main():
    sheet, spec_path, out, *thresholds = sys.argv[1:]
    logging.getLogger("splink").setLevel(logging.ERROR)
    with open(spec_path, encoding="utf-8") as file:
        spec = json.load(file)
    connection = duckdb.connect(config={"threads": THREADS})
    settings = SettingsCreator(link_type="dedupe_only",
                               comparisons=[comparison(kind, column) for kind, column in spec["comparisons"]],
                               blocking_rules_to_generate_predictions=[block_on(*rule) for rule in spec["blocking"]])
    table = read(sheet, spec)
    started = time.monotonic()
    linker = trained_linker(table, settings, connection, spec)
    trained = time.monotonic()
    trained_cpu = time.process_time()
    predictions = linker.inference.predict(threshold_match_probability=LEAST_PROBABILITY)
    if thresholds:
        predicted, predicted_cpu = time.monotonic(), time.process_time()
        clusters = {threshold: cluster(linker, predictions, threshold, out) for threshold in thresholds}
        print(json.dumps({"train_s": trained - started, "predict_s": predicted - trained,
                          "predict_cpu_s": predicted_cpu - trained_cpu, "clusters": clusters}))
        return
    pairs = predictions.as_pandas_dataframe()
    predicted = time.monotonic()
    pairs[["match_probability", "unique_id_l", "unique_id_r"]].to_csv(out, index=False, header=False)
    print(json.dumps({"train_s": trained - started, "predict_s": predicted - trained}))


main()
