"""Companies as a kind of their own: the employers that people's records name, company lists, and who works for which."""
import itertools
import json

import pytest
from conftest import wait_until
from daemon import Daemon, Receiver, ledger, settled
from oracle import name_of

CONFIG = """
sources:
  landing: {type: form, path: /f/landing, country: CN, employers: true}
  people:  {type: csv, drop: DROP/people, id: [no], time: at, country: CN, employers: true, settle: 50ms}
  firms:   {type: csv, drop: DROP/firms, id: [code], kind: company, country: CN, leads: false, verified: true, settle: 50ms}
  crm:     {type: records, employers: true}
  plain:   {type: records}
"""
PEOPLE = """no,at,name,mobile,email,company,title,city
p1,2026-03-01T08:00:00Z,林晓雯,13917173952,xiaowen@huaxin-tech.cn,上海华信科技有限公司,经理,上海
p2,2026-03-02T08:00:00Z,张伟,13817173953,zhangwei@huaxin-tech.cn,华信科技（上海）有限公司,工程师,上海
p3,2026-03-03T08:00:00Z,王芳,13717173954,wangfang@qq.com,上海华信科技有限公司北京分公司,会计,北京
p4,2026-03-04T08:00:00Z,李雷,13617173955,lilei@163.com,个人,,上海
p5,2026-03-05T08:00:00Z,Hans Müller,+49 30 901820,hans@gmail.com,Hans Müller,,Berlin
"""
FIRMS = """code,公司名称,统一社会信用代码,官网,电话,地址
F1,上海华信科技有限公司,91310115591693856A,https://www.huaxin-tech.cn,021-61234567,上海市浦东新区张江路88号
F2,北京远景咨询有限公司,91110000600037341L,https://vision-consult.cn,010-61234568,北京市朝阳区建国路1号
"""
WORKS = "SELECT person_id, company_id, job_title, sources, record_count FROM golden.works_for ORDER BY person_id, company_id"


def rows(connection, query, *arguments):
    cursor = connection.cursor()
    cursor.execute(query, arguments or None)
    return cursor.fetchall()


def drop(daemon, source, text, name="file.csv"):
    folder = daemon.directory / "drop" / source
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}"
    part.write_text(text, encoding="utf-8")
    part.rename(folder / name)


def wait_for(connection, source, received):
    wait_until(lambda: ledger(connection).get(source, {}).get("received", 0) >= received and settled(connection), 30,
               lambda: f"{source}: {ledger(connection).get(source)}")


def push(daemon, source, external_id, fields=None, at=None, op="upsert", **more):
    record = {"source": source, "external_id": external_id, "op": op, **more}
    if fields is not None:
        record["fields"] = fields
    if at:
        record["effective_at"] = at
    (result,) = daemon.api("/v1/records", record)["results"]
    assert result["status"] in ("accepted", "repeat"), result
    return result["status"]


@pytest.fixture
def lab(postgres, database, tmp_path):
    daemon = Daemon(tmp_path, postgres.conninfo(database), CONFIG.replace("DROP", str(tmp_path / "drop")))
    for source in ("people", "firms"):
        (tmp_path / "drop" / source).mkdir(parents=True)
    connection = postgres.connect(database)
    with daemon:
        yield daemon, connection
    connection.close()


def customer_of(connection, source, external_id, part="main"):
    found = rows(connection, "SELECT customer_id FROM golden.record_customer WHERE source = %s AND external_id = %s AND part = %s",
                 source, external_id, part)
    return found[0][0] if found else None


def employer_of(connection, source, external_id):
    found = rows(connection, "SELECT w.company_id FROM golden.works_for w JOIN golden.record_customer r ON r.record_id = ANY (w.person_records) "
                             "WHERE r.source = %s AND r.external_id = %s AND r.part = 'main'", source, external_id)
    return found[0][0] if found else None


def employer_record(connection, source, external_id):
    ((record,),) = rows(connection, "SELECT w.employer_id FROM tributary.works_for w JOIN golden.record_customer r USING (record_id) "
                                    "WHERE r.source = %s AND r.external_id = %s", source, external_id)
    return record


def test_a_sheet_of_people_a_sheet_of_companies_and_a_form_give_one_company(lab):
    daemon, connection = lab
    drop(daemon, "people", PEOPLE)
    drop(daemon, "firms", FIRMS)
    assert daemon.post("/f/landing", {"name": "赵敏", "email": "zhaomin@huaxin-tech.cn", "company": "上海华信科技有限公司",
                                      "job title": "总监"})[0] == 200
    wait_for(connection, "people", 5)
    wait_for(connection, "firms", 2)
    wait_for(connection, "landing", 1)
    huaxin, vision = customer_of(connection, "firms", "F1"), customer_of(connection, "firms", "F2")
    assert employer_of(connection, "people", "p1") == employer_of(connection, "people", "p2") == huaxin != vision
    branch = employer_of(connection, "people", "p3")
    assert branch not in (None, huaxin, vision), "a branch is another company"
    assert employer_of(connection, "people", "p4") is None, "个人 is no company"
    assert employer_of(connection, "people", "p5") is None, "a man who works under his own name is no company"
    works = rows(connection, WORKS)
    lin, zhang, wang = (customer_of(connection, "people", p) for p in ("p1", "p2", "p3"))
    (zhao,), = rows(connection, "SELECT customer_id FROM golden.customer WHERE full_name = '赵敏'")
    assert {(person, company, title) for person, company, title, *_ in works} == {
        (lin, huaxin, "经理"), (zhang, huaxin, "工程师"), (zhao, huaxin, "总监"), (wang, branch, "会计")}
    (company,) = rows(connection, "SELECT kind, company, credit_code, phone, email, full_name, lead_at, record_count "
                                  "FROM golden.customer WHERE customer_id = %s", huaxin)
    assert company[:4] == ("company", "上海华信科技有限公司", "91310115591693856A", ["+862161234567"])
    assert company[4] is None and company[5] is None, "nothing that identifies a person is the company's"
    assert company[6] is None and company[7] == 4  # three ways of naming it (the form names no city) and the company's own record
    assert rows(connection, "SELECT DISTINCT kind FROM golden.customer WHERE customer_id IN (%s, %s, %s)", lin, zhang, wang) == [("person",)]
    counts = ledger(connection)
    assert counts["people"]["received"] == 5 and counts["people"]["stored"] == 5, "employers were not received"
    assert counts["landing"]["received"] == 1
    status = wait_until(lambda: (found := daemon.api("/v1/status"))["customers"] == 9 and found, 10, "nine customers")
    assert (status["customers"], status["companies"]) == (9, 3), status
    shown = daemon.run("customer", "show", str(lin)).stdout
    assert "works for" in shown and "上海华信科技有限公司" in shown.split("works for")[1] and "经理" in shown.split("works for")[1]
    shown = daemon.run("customer", "show", str(huaxin)).stdout.split("\npeople\n")[1]
    assert all(name in shown for name in ("林晓雯", "张伟", "赵敏"))
    found = json.loads(daemon.run("customer", "find", "华信", "--format=json").stdout)
    assert {(row["kind"], row["customer_id"]) for row in found} >= {("company", huaxin), ("person", lin)}
    leads = rows(connection, "SELECT count(*) FROM golden.event WHERE type = 'lead.created'")
    assert leads == [(6,)], "people are leads, their companies are none"


def test_the_reader_reads_who_works_where(lab):
    daemon, connection = lab
    push(daemon, "crm", "1", {"full_name": "Mary O'Brien", "email": "mary@brightwater.example", "company": "Brightwater Ltd", "job_title": "Buyer"})
    wait_for(connection, "crm", 1)
    cursor = connection.cursor()
    cursor.execute("SET ROLE tributary_reader")
    cursor.execute(WORKS)
    assert len(cursor.fetchall()) == 1
    cursor.execute("RESET ROLE")


def test_an_employer_follows_its_person_through_updates_deletion_and_redelivery(lab):
    daemon, connection = lab
    person = {"full_name": "Mary O'Brien", "email": "mary.obrien@gmail.com", "company": "Brightwater Ltd", "job_title": "Buyer"}
    firm = {"full_name": "Ben Stone", "email": "ben@gmail.com", "company": "Brightwater Ltd"}
    push(daemon, "crm", "1", person, "2026-03-01T00:00:00Z")
    push(daemon, "crm", "2", firm, "2026-03-01T00:00:00Z")
    wait_for(connection, "crm", 2)
    assert push(daemon, "crm", "1", person, "2026-03-01T00:00:00Z") == "repeat"
    first = employer_of(connection, "crm", "1")
    assert first is not None
    push(daemon, "crm", "1", dict(person, company="Redgrave Shipping plc", job_title="Captain"), "2026-03-03T00:00:00Z")
    wait_for(connection, "crm", 4)
    assert rows(connection, "SELECT company FROM golden.customer WHERE customer_id = %s", employer_of(connection, "crm", "1")) == \
        [("Redgrave Shipping plc",)]
    push(daemon, "crm", "1", person, "2026-03-02T00:00:00Z")  # comes late: the newer one stands
    wait_for(connection, "crm", 5)
    (work,) = rows(connection, "SELECT job_title, since::text FROM golden.works_for WHERE person_id = %s", customer_of(connection, "crm", "1"))
    assert work[0] == "Captain" and work[1].startswith("2026-03-03")
    no_company = {k: v for k, v in person.items() if k != "company"}
    push(daemon, "crm", "1", no_company, "2026-03-04T00:00:00Z")
    wait_for(connection, "crm", 6)
    assert employer_of(connection, "crm", "1") is None and customer_of(connection, "crm", "1") is not None
    assert rows(connection, "SELECT count(*) FROM golden.works_for WHERE person_id = %s", customer_of(connection, "crm", "1")) == [(0,)]
    push(daemon, "crm", "1", person, "2026-03-05T00:00:00Z")
    wait_for(connection, "crm", 7)
    assert employer_of(connection, "crm", "1") is not None
    push(daemon, "crm", "1", op="delete", at="2026-03-06T00:00:00Z")
    wait_for(connection, "crm", 8)
    assert employer_of(connection, "crm", "1") is None and customer_of(connection, "crm", "1") is None
    assert employer_of(connection, "crm", "2") is not None, "a colleague's stays"
    push(daemon, "crm", "1", person, "2026-03-07T00:00:00Z")
    wait_for(connection, "crm", 9)
    companies = rows(connection, "SELECT count(*) FROM golden.customer WHERE kind = 'company'")[0][0]
    wait_until(lambda: daemon.api("/v1/status")["companies"] == companies, 10, "the count of companies")
    daemon.restart()
    assert daemon.api("/v1/status")["companies"] == companies
    assert employer_of(connection, "crm", "1") is not None
    assert len(rows(connection, WORKS)) == 2


def test_a_merge_of_people_and_its_undoing_carry_their_employers(lab):
    daemon, connection = lab
    push(daemon, "crm", "1", {"full_name": "林晓雯", "phone": "13917173952", "company": "上海华信科技有限公司"})
    push(daemon, "crm", "2", {"full_name": "小雯", "wechat_id": "lin_xw88", "company": "北京远景咨询有限公司"})
    wait_for(connection, "crm", 2)
    one, two = customer_of(connection, "crm", "1"), customer_of(connection, "crm", "2")
    companies = {employer_of(connection, "crm", "1"), employer_of(connection, "crm", "2")}
    assert len(companies) == 2 and one != two
    daemon.run("customer", "merge", str(one), str(two))
    assert {(p, c) for p, c, *_ in rows(connection, WORKS)} == {(one, c) for c in companies}
    daemon.run("decision", "undo", "1")
    assert {p for p, *_ in rows(connection, WORKS)} == {one, two}
    a, b = sorted(companies)
    daemon.run("customer", "merge", str(a), str(b))
    assert {(p, c) for p, c, *_ in rows(connection, WORKS)} == {(one, a), (two, a)}
    daemon.restart()
    assert {(p, c) for p, c, *_ in rows(connection, WORKS)} == {(one, a), (two, a)}


def test_a_person_and_a_company_are_never_one_customer(lab):
    daemon, connection = lab
    shared = {"phone": "021-61234567", "email": "info@huaxin-tech.cn", "company": "上海华信科技有限公司"}
    push(daemon, "crm", "1", dict(shared, full_name="林晓雯"))
    push(daemon, "crm", "2", dict(shared, full_name="张伟"))
    drop(daemon, "firms", FIRMS)
    wait_for(connection, "crm", 2)
    wait_for(connection, "firms", 2)
    people = [customer_of(connection, "crm", "1"), customer_of(connection, "crm", "2")]
    assert people[0] != people[1], "a switchboard and info@ are no reason to merge colleagues"
    assert customer_of(connection, "firms", "F1") not in people
    assert rows(connection, "SELECT count(DISTINCT kind) FROM tributary.record GROUP BY customer_id HAVING count(DISTINCT kind) > 1") == []
    refused = daemon.run("customer", "merge", str(people[0]), str(customer_of(connection, "firms", "F1")), check=False)
    assert refused.returncode != 0 and "person" in refused.stderr and "company" in refused.stderr
    assert rows(connection, "SELECT count(*) FROM tributary.decision") == [(0,)]


def test_a_key_that_is_an_employers_is_refused(lab):
    daemon, connection = lab
    reply = daemon.api("/v1/records", {"source": "crm", "external_id": "employer:0123456789abcdef0123456789abcdef", "part": "employer",
                                       "fields": {"company": "Acme"}})
    assert reply["results"][0]["status"] != "repeat"
    wait_for(connection, "crm", 1)
    assert ledger(connection)["crm"]["rejected"] == 1
    assert rows(connection, "SELECT code FROM tributary.reject") == [("record.bad_key",)]


def test_a_source_without_employers_makes_none(lab):
    daemon, connection = lab
    push(daemon, "plain", "1", {"full_name": "林晓雯", "phone": "13917173952", "company": "上海华信科技有限公司"})
    wait_for(connection, "plain", 1)
    assert rows(connection, "SELECT count(*) FROM tributary.record") == [(1,)] and rows(connection, WORKS) == []


def test_any_order_gives_the_same_relation(postgres, tmp_path):
    versions = [
        ("1", {"full_name": "林晓雯", "phone": "13917173952", "company": "上海华信科技有限公司", "job_title": "经理"}, 1),
        ("1", {"full_name": "林晓雯", "phone": "13917173952", "company": "北京远景咨询有限公司", "job_title": "总监"}, 2),
        ("2", {"full_name": "张伟", "email": "zw@huaxin-tech.cn", "company": "华信科技（上海）有限公司"}, 1),
        ("3", {"full_name": "王芳", "email": "wf@qq.com", "company": "北京远景咨询有限公司"}, 1),
    ]
    found = set()
    for number, order in enumerate(itertools.permutations(versions)):
        if number % 3:
            continue  # eight of the orders; the property tests play many more histories
        database = postgres.create_database()
        daemon = Daemon(tmp_path / str(number), postgres.conninfo(database), CONFIG.replace("DROP", str(tmp_path / "drop")))
        connection = postgres.connect(database)
        with daemon:
            for external_id, fields, day in order:
                push(daemon, "crm", external_id, fields, f"2026-03-0{day}T00:00:00Z")
            wait_for(connection, "crm", len(versions))
            names = {customer: sorted(names) for customer, names in rows(
                connection, "SELECT customer_id, array_agg(external_id || part) FROM golden.record_customer GROUP BY 1")}
            found.add(json.dumps(sorted((names[p], names[c], title, str(since), str(last)) for p, c, title, since, last in rows(
                connection, "SELECT person_id, company_id, job_title, since, last_seen FROM golden.works_for"))))
        connection.close()
        postgres.drop_database(database)
    assert len(found) == 1, found


def test_switching_employers_on_and_off_follows_what_is_stored(lab):
    daemon, connection = lab
    works = "SELECT person_id, company_id, job_title FROM golden.works_for"
    push(daemon, "plain", "1", {"full_name": "林晓雯", "phone": "13917173952", "company": "上海华信科技有限公司", "job_title": "经理"},
         "2026-03-01T00:00:00Z")
    push(daemon, "plain", "2", {"full_name": "张伟", "email": "zw@qq.com", "company": "华信科技（上海）有限公司"}, "2026-03-01T00:00:00Z")
    push(daemon, "plain", "3", {"full_name": "王芳", "email": "wf@qq.com"})
    push(daemon, "plain", "4", {"full_name": "李雷", "email": "ll@qq.com", "company": "上海华信科技有限公司"})
    push(daemon, "plain", "4", op="delete")
    wait_for(connection, "plain", 5)
    assert rows(connection, works) == []
    off = daemon.config.read_text()
    for _ in range(2):
        daemon.stop()
        daemon.config.write_text(off.replace("plain:   {type: records}", "plain:   {type: records, employers: true}"))
        daemon.start()
        assert {(p, t) for p, _, t in rows(connection, works)} == {(1, "经理"), (2, None)}
        (company,) = {c for _, c, _ in rows(connection, works)}
        assert rows(connection, "SELECT kind, record_count FROM golden.customer WHERE customer_id = %s", company) == [("company", 2)]  # two ways of writing it
        before = rows(connection, "SELECT record_id, version, customer_id FROM tributary.record ORDER BY 1")
        daemon.restart()
        assert rows(connection, "SELECT record_id, version, customer_id FROM tributary.record ORDER BY 1") == before
        daemon.stop()
        daemon.config.write_text(off)
        daemon.start()
        assert rows(connection, works) == [] and rows(connection, "SELECT count(*) FROM golden.customer") == [(3,)]
    assert ledger(connection)["plain"]["received"] == 5


def test_employers_follow_another_generation_of_rules_and_back(postgres, database, tmp_path):
    config = "rules: [people]\nsources:\n  crm: {type: records, employers: true}\n"
    daemon = Daemon(tmp_path, postgres.conninfo(database), config)
    connection = postgres.connect(database)
    (tmp_path / "mine.yaml").write_text("pack: mine\nnobody: {company: [Brightwater Ltd]}\nrules:\n"
                                        "  - {id: mine.employer, field: company, when: {absent: company}, copy: referrer}\n",
                                        encoding="utf-8")

    def employers():
        return dict(rows(connection, "SELECT r.external_id, c.company FROM golden.works_for w JOIN golden.customer c ON c.customer_id = w.company_id "
                                     "JOIN golden.record_customer r ON r.record_id = ANY (w.person_records)"))

    with daemon:
        push(daemon, "crm", "1", {"full_name": "Mary O'Brien", "email": "mary@gmail.com", "company": "Brightwater Ltd"})
        push(daemon, "crm", "2", {"full_name": "Ben Stone", "email": "ben@gmail.com", "referrer": "Redgrave Shipping plc"})
        push(daemon, "crm", "3", {"full_name": "Ann Lee", "email": "ann@gmail.com", "company": "Lee Stores GmbH"})
        wait_for(connection, "crm", 3)
        first = {"1": "Brightwater Ltd", "3": "Lee Stores GmbH"}
        assert employers() == first
        daemon.stop()
        daemon.config.write_text(daemon.config.read_text().replace("rules: [people]", "rules: [people, mine.yaml]"))
        daemon.start()
        assert employers() == first, "pending: as it was"
        daemon.run("rematch", "--apply")
        assert employers() == {"2": "Redgrave Shipping plc", "3": "Lee Stores GmbH"}
        daemon.run("rematch", "--apply", "1")
        assert employers() == first
    connection.close()


def test_a_sink_of_people_hears_nothing_of_companies(postgres, database, tmp_path):
    people, companies, all_of_them = Receiver(), Receiver(), Receiver()
    (tmp_path / "secret").write_text("a secret of some length")
    sinks = "".join(f"  {name}: {{type: webhook, url: \"{receiver.url}\", secret_file: {tmp_path}/secret{kinds}}}\n"
                    for name, receiver, kinds in (("people", people, ", kinds: [person]"), ("companies", companies, ", kinds: [company]"),
                                                  ("all", all_of_them, "")))
    daemon = Daemon(tmp_path, postgres.conninfo(database),
                    "sources:\n  crm: {type: records, employers: true}\n  firms: {type: records, kind: company}\nsinks:\n" + sinks)
    connection = postgres.connect(database)
    with daemon:
        push(daemon, "crm", "1", {"full_name": "Mary O'Brien", "email": "mary@gmail.com", "company": "Brightwater Ltd"}, "2026-03-01T00:00:00Z")
        push(daemon, "firms", "1", {"company": "Redgrave Shipping plc", "website": "redgrave.example"}, "2026-03-01T00:00:00Z")
        push(daemon, "firms", "1", {"company": "Redgrave Shipping plc", "website": "redgrave.example", "industry": "Shipping"},
             "2026-03-02T00:00:00Z")
        daemon.api("/v1/records", {"source": "crm", "external_id": "2", "fields": {"message": "nobody"}})
        wait_for(connection, "crm", 2)
        wait_for(connection, "firms", 2)
        wait_until(lambda: len(all_of_them.events()) >= 4, 20, lambda: str(all_of_them.events()))
        # a lead and a change of a company, the lead of a person, and a reject, which is of no customer
        wait_until(lambda: len(people.events()) >= 2 and len(companies.events()) >= 3, 20,
                   lambda: f"{people.events()} {companies.events()}")
    found = {name: sorted((event["type"], event["data"].get("kind", "")) for event in receiver.events())
             for name, receiver in (("people", people), ("companies", companies))}
    rejected = ("tributary.record.rejected.v1", "")
    assert found["people"] == sorted([("tributary.lead.created.v1", "person"), rejected])
    assert found["companies"] == sorted([("tributary.lead.created.v1", "company"), ("tributary.customer.updated.v1", "company"), rejected])
    for receiver in (people, companies, all_of_them):
        receiver.close()
    connection.close()


def test_a_split_of_a_company_outlives_deletion_and_redelivery(lab):
    daemon, connection = lab
    person = {"full_name": "林晓雯", "phone": "13917173952", "company": "上海华信科技有限公司"}
    push(daemon, "crm", "1", person, "2026-03-01T00:00:00Z")
    push(daemon, "crm", "2", {"full_name": "张伟", "email": "zw@qq.com", "company": "华信科技（上海）有限公司"}, "2026-03-01T00:00:00Z")
    wait_for(connection, "crm", 2)
    company = employer_of(connection, "crm", "1")
    assert company == employer_of(connection, "crm", "2")
    second = employer_record(connection, "crm", "2")
    daemon.run("customer", "split", str(company), str(second))
    assert employer_of(connection, "crm", "2") == second != employer_of(connection, "crm", "1")
    push(daemon, "crm", "1", op="delete", at="2026-03-02T00:00:00Z")
    push(daemon, "crm", "1", person, "2026-03-03T00:00:00Z")
    wait_for(connection, "crm", 4)
    daemon.restart()
    assert employer_of(connection, "crm", "2") == second != employer_of(connection, "crm", "1")
    daemon.run("decision", "undo", "1")
    assert employer_of(connection, "crm", "2") == employer_of(connection, "crm", "1") == company


def test_each_part_of_a_delivery_has_its_own_employer(lab):
    daemon, connection = lab
    push(daemon, "crm", "o1", {"full_name": "Mary O'Brien", "email": "mary@gmail.com", "company": "Brightwater Ltd"}, part="billing")
    push(daemon, "crm", "o1", {"full_name": "Ben Stone", "phone": "+44 20 7946 0958", "company": "Redgrave Shipping plc"}, part="shipping")
    wait_for(connection, "crm", 2)
    assert rows(connection, "SELECT part, kind FROM golden.record_customer r JOIN golden.customer c USING (customer_id) ORDER BY part") == [
        ("billing", "person"), ("employer", "company"), ("employer", "company"), ("shipping", "person")]
    works = rows(connection, "SELECT p.full_name, c.company FROM golden.works_for w JOIN golden.customer p ON p.customer_id = w.person_id "
                             "JOIN golden.customer c ON c.customer_id = w.company_id ORDER BY 1")
    assert works == [("Ben Stone", "Redgrave Shipping plc"), ("Mary O'Brien", "Brightwater Ltd")]
    assert rows(connection, "SELECT count(*) FROM golden.identity WHERE type = 'external_id' AND value = 'o1'") == [(2,)]


def test_kills_during_a_load_leave_each_employer_once(lab):
    daemon, connection = lab
    lines = ["no,at,name,mobile,email,company,title,city"]
    for i in range(3000):
        given, family = name_of(2 * i + 1), name_of(7919 * i + 2)
        lines.append(f"k{i},2026-03-01T08:00:00Z,{given} {family},,{given.lower()}@{name_of(i % 50 + 1).lower()}.example,"
                     f"{name_of(i % 50 + 1)} Trading Ltd,,")
    drop(daemon, "people", "\n".join(lines) + "\n")
    for turn in range(4):
        wait_until(lambda: rows(connection, "SELECT count(*) FROM tributary.record")[0][0] > turn * 800, 60, "some of the load")
        daemon.kill()
        daemon.start()
    wait_for(connection, "people", 3000)
    assert ledger(connection)["people"]["stored"] == 3000
    assert rows(connection, "SELECT part, count(*), count(DISTINCT external_id) FROM golden.record_customer GROUP BY 1 ORDER BY 1") == [
        ("employer", 50, 50), ("main", 3000, 3000)]
    assert rows(connection, "SELECT count(*), count(DISTINCT company_id) FROM golden.works_for") == [(3000, 50)]


def test_more_colleagues_than_a_key_may_have_records_are_of_one_company(lab):
    """An employer record for each of them once made a company for each: above 1,000 records their key was dead."""
    daemon, connection = lab
    lines = ["no,at,name,mobile,email,company,title,city"]
    for i in range(1500):
        given, family = name_of(2 * i + 1), name_of(7919 * i + 2)
        lines.append(f"c{i},2026-03-{1 + i % 28:02d}T08:00:00Z,{given} {family},,{given.lower()}@mail.example,Brightwater Ltd,,")
    drop(daemon, "people", "\n".join(lines) + "\n")
    wait_for(connection, "people", 1500)
    assert rows(connection, "SELECT count(*), count(DISTINCT company_id) FROM golden.works_for") == [(1500, 1)]
    (company,) = rows(connection, "SELECT record_count, first_seen_at::text FROM golden.customer WHERE kind = 'company'")
    assert company[0] == 1 and company[1].startswith("2026-03-01"), company
