"""Why: every way two records can stand to each other is explained, as text, as JSON and as a waterfall."""
import json
import xml.dom.minidom

import pytest
from conftest import wait_until
from daemon import Daemon, settled

CONFIG = """
fields: {membership_level: {type: text}}
sources:
  crm:   {type: records, country: CN, employers: true}
  other: {type: records, country: CN, space: another}
  firms: {type: records, country: CN, kind: company}
"""
RECORDS = {
    "lin": {"full_name": "林晓雯", "phone": "13917173952", "email": "xiaowen@huaxin-tech.cn", "company": "上海华信科技有限公司",
            "address_line": "上海市浦东新区张江路88号", "membership_level": "gold"},
    "lin2": {"full_name": "Xiaowen Lin", "phone": "13917173952", "address_line": "上海市浦东新区张江路88号"},
    "lin3": {"full_name": "小雯", "wechat_id": "lin_xw88"},
    "lin4": {"full_name": "林晓雯", "phone": "13917173952", "wechat_id": "lin_xw88"},
    "stranger": {"full_name": "王建国", "birth_date": "1980-02-03"},
    "doubtful": {"full_name": "王建国", "city": "杭州", "company": "浙江远方贸易有限公司"},
    "doubtful2": {"full_name": "王建国", "city": "杭州", "company": "远方贸易"},
    "id1": {"full_name": "李雷", "phone": "13612345678", "national_id": "11010519491231002X"},
    "id2": {"full_name": "李雷", "phone": "13612345678", "national_id": "440524188001010014"},
}


@pytest.fixture(scope="module")
def lab(postgres, tmp_path_factory):
    directory, database = tmp_path_factory.mktemp("explain"), postgres.create_database()
    daemon = Daemon(directory, postgres.conninfo(database), CONFIG)
    connection = postgres.connect(database)
    with daemon:
        daemon.api("/v1/records", {"records": [{"source": "crm", "external_id": name, "fields": fields}
                                               for name, fields in RECORDS.items()]})
        daemon.api("/v1/records", {"source": "other", "external_id": "lin", "fields": RECORDS["lin2"]})
        daemon.api("/v1/records", {"source": "firms", "external_id": "huaxin", "fields": {"company": "华信科技（上海）有限公司"}})
        daemon.api("/v1/records", {"records": [{"source": "crm", "external_id": f"hub{i}", "fields": {
            "full_name": name, "phone": "021-61234567"}} for i, name in enumerate(hub_names())]})
        daemon.api("/v1/records", {"records": [{"source": "crm", "external_id": f"street{i}", "fields": {
            "full_name": name, "address_line": f"上海市静安区南京西路{i + 1}号"}} for i, name in enumerate(hub_names()[::7])]})
        wait_until(lambda: settled(connection) and rows(connection, "SELECT count(*) FROM tributary.record") > [(90,)], 30,
                   "everything to be resolved")
        yield Lab(daemon, connection)
    connection.close()
    postgres.drop_database(database)


def hub_names():
    return [a + b for a in "赵钱孙李周吴郑王冯陈褚卫" for b in ("文博", "雅静", "志强", "美玲", "天佑", "海燕")][:70]


def rows(connection, query, *arguments):
    cursor = connection.cursor()
    cursor.execute(query, arguments or None)
    return cursor.fetchall()


class Lab:
    def __init__(self, daemon, connection):
        self.daemon, self.connection = daemon, connection

    def id(self, external_id, part="main", source="crm"):
        ((record,),) = rows(self.connection, "SELECT record_id FROM golden.record_customer WHERE source = %s AND external_id = %s "
                                             "AND part = %s", source, external_id, part)
        return record

    def explain(self, a, b):
        """JSON of the command, checked against what must hold of every explanation."""
        e = json.loads(self.daemon.run("explain", str(a), str(b), "--format=json").stdout)
        total = e["prior"]
        for c in e["comparisons"]:
            total += c["weight"]
            assert abs(c["sum"] - total) < 1e-6 and 0 <= c["probability"] <= 1, c
            assert {"name", "level", "a", "b"} <= c.keys()
        assert abs(total - e["weight"]) < 1e-4 and e["generation"] >= 1
        assert e["link"]["probability"] == pytest.approx(0.95) and e["review_threshold"]["probability"] == pytest.approx(0.70)
        said = {c["name"] for c in e["comparisons"]}
        assert not said & {m["name"] for m in e["missing"]}, "what was compared is not missing"
        served = self.daemon.api(f"/v1/explain?a={a}&b={b}")
        assert served.keys() == e.keys() and (served["why"], served["verdict"], served["keys"]) == (e["why"], e["verdict"], e["keys"])
        return e

    def text(self, a, b):
        return self.daemon.run("explain", str(a), str(b)).stdout


def test_two_records_that_match(lab):
    one, two = lab.id("lin"), lab.id("lin2")
    e = lab.explain(one, two)
    assert e["verdict"] == "linked" and e["shares_live_key"] and e["a"]["record_id"] == one and e["b"]["record_id"] == two
    by_name = {c["name"]: c for c in e["comparisons"]}
    assert (by_name["phone"]["a"], by_name["phone"]["b"], by_name["phone"]["level"]) == ("+8613917173952", "+8613917173952", "same")
    assert "张江路88号" in by_name["address"]["a"] and "张江路88号" in by_name["address"]["b"]
    missing = {m["name"]: m for m in e["missing"]}
    assert (missing["email"]["a"], missing["email"]["b"]) == (True, False) and missing["email"]["weight"] > 15
    assert (missing["birth_date"]["a"], missing["birth_date"]["b"]) == (False, False)
    assert (missing["membership_level"]["a"], missing["membership_level"]["b"]) == (True, False)
    text = lab.text(one, two)
    assert "evidence" in text and "sum" in text and "probability" in text and "generation 1" in text
    assert f"Only in {one}: email" in text and "In neither:" in text and "birth_date" in text


def test_a_record_and_a_customer_through_others(lab):
    """lin3 comes to the others through lin4 alone."""
    e = lab.explain(lab.id("lin3"), lab.id("lin"))
    assert e["same_customer"] and e["verdict"] == "linked"
    path = [(p["from"], p["to"]) for p in e["path"]]
    assert path[0][0] == lab.id("lin3") and path[-1][1] == lab.id("lin") and (lab.id("lin3"), lab.id("lin4")) in path
    assert any("through" in why for why in e["why"]) and any("by themselves they would be apart" in why for why in e["why"])


def test_two_customers_are_explained_by_their_best_pair(lab):
    customer = lab.id("lin")  # the smallest record of four
    e = lab.explain(customer, lab.id("stranger"))
    assert e["pairs_examined"] == 4 and e["verdict"] == "apart"
    assert "the best pair of 4" in lab.text(customer, lab.id("stranger"))


def test_why_not_no_live_key_and_what_is_missing(lab):
    a, b = lab.id("lin4"), lab.id("stranger")
    e = lab.explain(a, b)
    assert not e["shares_live_key"] and e["shared_keys"] == []
    assert "phone" in e["keys"]["a"] and "wechat_id" in e["keys"]["a"] and "phone" not in e["keys"]["b"]
    assert any("share no live key" in why for why in e["why"])
    assert any("bits are missing for a link" in why for why in e["why"])
    text = lab.text(a, b)
    assert f"Keys of {a}:" in text and f"Keys of {b}:" in text and "share no live key" in text


def test_what_would_be_enough_is_named(lab):
    a, b = lab.id("doubtful"), lab.id("doubtful2")
    e = lab.explain(a, b)
    if e["verdict"] != "linked":
        (enough,) = [why for why in e["why"] if "would be enough" in why]
        assert "phone (neither has one)" in enough and "email (neither has one)" in enough


def test_a_dead_key_is_told_with_its_degree(lab):
    a, b = lab.id("hub0"), lab.id("hub1")
    e = lab.explain(a, b)
    (phone,) = [key for key in e["shared_keys"] if key["key"] == "phone"]
    assert not phone["live"] and phone["degree"] == 70 and phone["band"] == 7
    assert any("belongs to 70 different names" in why for why in e["why"])


def test_a_combination_that_too_many_hold_is_told_with_their_number(lab):
    a, b = lab.id("street0"), lab.id("street1")
    e = lab.explain(a, b)
    (street,) = [key for key in e["shared_keys"] if key["key"] == "place_street"]
    assert not street["live"] and street["degree"] is None and street["records"] == 10 and street["records_max"] == 8
    assert not e["shares_live_key"]
    assert any("place_street they share stands in 10 records, more than the 8" in why for why in e["why"])
    assert "place_street (in 10 records: too many)" in lab.daemon.run("explain", str(a), str(b)).stdout


def test_two_national_ids_and_the_review_they_make(lab):
    a, b = lab.id("id1"), lab.id("id2")
    e = lab.explain(a, b)
    assert e["verdict"] in ("review", "apart") and any("different valid national ids" in why for why in e["why"])


def test_a_decision_is_named_with_who_and_when(lab):
    a, b = lab.id("hub2"), lab.id("hub3")
    lab.daemon.run("customer", "merge", str(a), str(b), "--actor=ann", "--note=same desk")
    e = lab.explain(a, b)
    assert e["verdict"] == "linked" and any(why.startswith("ann decided on") for why in e["why"])
    lab.daemon.run("decision", "undo", str(e["decisions"][0]["decision_id"]))
    assert lab.explain(a, b)["verdict"] == "apart"


def test_a_person_and_a_company(lab):
    person, firm = lab.id("lin"), lab.id("huaxin", source="firms")
    ((company,),) = rows(lab.connection, "SELECT company_id FROM golden.works_for WHERE person_id = %s", person)
    e = lab.explain(person, firm)
    assert e["verdict"] == "apart" and not e["shares_live_key"] and e["comparisons"] == [] and e["missing"] == []
    assert any("is a person and" in why and "never one customer" in why for why in e["why"])
    assert any(f"customer {person} works for customer {company}" in why for why in e["why"])
    ((of_lin,),) = rows(lab.connection, "SELECT employer_id FROM tributary.works_for WHERE record_id = %s", person)
    employer = lab.explain(of_lin, firm)
    assert employer["verdict"] == "linked" and employer["comparisons"][0]["name"] == "company_name"


def test_two_spaces(lab):
    e = lab.explain(lab.id("lin"), lab.id("lin", source="other"))
    assert e["verdict"] == "apart" and any("different spaces never meet" in why for why in e["why"])


def test_the_waterfall_has_running_sum_thresholds_and_generation_but_no_values(lab, tmp_path):
    a, b = lab.id("lin"), lab.id("lin2")
    lab.daemon.run("explain", str(a), str(b), "--svg", str(tmp_path / "why.svg"))
    svg = (tmp_path / "why.svg").read_text(encoding="utf-8")
    assert xml.dom.minidom.parseString(svg).documentElement.tagName == "svg"
    assert "link" in svg and "review" in svg and "generation 1" in svg and "= " in svg and "romanised" in svg
    assert "13917173952" not in svg and "张江路" not in svg and "Xiaowen" not in svg
    lab.daemon.run("explain", str(a), str(lab.id("stranger")), "--svg", str(tmp_path / "not.svg"))
    assert "no live key is shared" in (tmp_path / "not.svg").read_text()


def test_what_is_not_there(lab):
    assert "there is no living record 99999" in lab.daemon.run("explain", "1", "99999", check=False).stderr
    assert lab.daemon.run("explain", "1", "1", check=False).returncode == 64
    assert lab.daemon.run("explain", "1", "x", check=False).returncode == 64
