"""Random histories of source records, and what must come of them however they are delivered.

A world is a space of its own with two sources: web, whose records make leads, and crm, whose records are verified. Names,
phones, e-mails and national ids come from small pools, so that records merge, split, are refused and cross degree bands. Every
version has an effective time of its own; now and then two of one record share one, and the content hash decides.
"""
import random
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 1, 8, 0, 0, tzinfo=timezone.utc)
NAMES = ["林晓雯", "张伟", "欧阳娜娜", "王芳", "李建国", "陈思远", "赵敏", "刘子墨", "Jonas Weber", "Maria Rossi", "Liam Walker",
         "周杰", "吴彦", "Priya Sharma", "孙丽华", "郑凯"]
SCENE_NAMES = ["司马青云", "Henrik Lindqvist", "诸葛明远"]
HUB_NAMES = [a + b for a in "赵钱孙李周吴郑王冯陈褚卫" for b in ("文博", "雅静", "志强", "美玲", "天佑", "海燕")]
CITIES = ["上海", "北京", "深圳", "杭州"]
COMPANIES = ["上海华信科技有限公司", "华信科技（上海）有限公司", "北京远景咨询有限公司", "Brightwater Ltd", "个人"]


def national_id(rng):
    body = f"3101{rng.randint(1, 9):02d}{rng.randint(1960, 2001)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{rng.randint(100, 998)}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights)) % 11]


class Version:
    def __init__(self, source, external_id, at, record):
        self.source, self.external_id, self.at, self.record = source, external_id, at, record

    @property
    def key(self):
        return self.source, self.external_id

    @property
    def deletes(self):
        return self.record.get("op") == "delete"

    def body(self):
        return {"source": self.source, "external_id": self.external_id,
                "effective_at": (START + timedelta(seconds=self.at)).isoformat(), **self.record}


class World:
    """`versions` in order of effective time; `decisions`: ("always" | "never", key, key, undone)."""

    def __init__(self, number, seed, hub=0, web_deletes=True):
        self.rng = rng = random.Random(seed)
        self.number = number
        self.web, self.crm = f"w{number}_web", f"w{number}_crm"
        self.web_deletes = web_deletes
        self.people = []
        names = rng.sample(NAMES, 6)
        phones = [f"+86139{rng.randint(10000000, 99999999)}" for _ in range(7)]
        emails = [f"{rng.choice(['lin', 'zhang', 'jonas', 'maria', 'chen', 'walker'])}.{rng.randint(100, 9999)}@qq.com" for _ in range(7)]
        for _ in range(rng.randint(7, 10)):
            self.people.append({"full_name": rng.choice(names), "phone": rng.choice(phones), "email": rng.choice(emails),
                                "national_id": national_id(rng), "wechat_id": f"wx_{rng.randint(10**6, 10**7)}"})
        self.hub_phone = f"+86150{rng.randint(10000000, 99999999)}"
        self.records = {}
        self.versions = []
        self.clock = 0
        self._make(hub)
        self.decisions = self._decide()

    def _fields(self, person):
        rng = self.rng
        fields = {}
        if rng.random() < 0.93:
            fields["full_name"] = person["full_name"]
        for name, share in (("phone", 0.6), ("email", 0.55), ("national_id", 0.15), ("wechat_id", 0.2)):
            if rng.random() < share:
                fields[name] = person[name]
        if rng.random() < 0.12:
            fields["phone"] = rng.choice(self.people)["phone"]
        if rng.random() < 0.1:
            fields["phone"] = self.hub_phone
        if rng.random() < 0.3:
            fields["city"] = rng.choice(CITIES)
        if rng.random() < 0.25:
            fields["company"] = rng.choice(COMPANIES)
        if rng.random() < 0.2:
            fields["tags"] = ", ".join(rng.sample(["vip", "expo", "newsletter", "dealer"], 2))
        if not fields.keys() & {"phone", "email", "wechat_id", "national_id"}:
            fields["phone"] = person["phone"]
        return fields

    def _record(self, person):
        rng = self.rng
        record = {"fields": self._fields(person)}
        if rng.random() < 0.3:
            record["activities"] = [{"type": "order", "key": f"o{rng.randint(1, 999999)}", "at": "2026-02-01T10:00:00Z",
                                     "data": {"total": rng.randint(1, 900)}} for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.3:
            record["consents"] = [{"purpose": purpose, "granted": rng.random() < 0.6, "text": "yes", "version": "1"}
                                  for purpose in rng.sample(["email", "phone", "post"], rng.randint(1, 2))]
        return record

    def _put(self, key, record, tied=False):
        if not tied:
            self.clock += 1
        self.versions.append(Version(*key, self.clock, record))

    def _make(self, hub):
        rng = self.rng
        for name in rng.sample(HUB_NAMES, hub):
            self._put((self.web, f"hub{len(self.versions)}"), {"fields": {"full_name": name, "phone": self.hub_phone}})
        if hub:  # two that lean on the phone that is shared ever more
            for i in range(2):
                self._put((self.crm, f"lean{i}"), {"fields": {"full_name": "沈从文", "phone": self.hub_phone}})
        scene = self._scene()
        next(scene)
        keys = [(rng.choice((self.web, self.web, self.crm)), f"r{i}") for i in range(rng.randint(18, 30))]
        for key in keys:
            self.records[key] = rng.choice(self.people)
            self._put(key, self._record(self.records[key]))
        next(scene)
        for _ in range(rng.randint(15, 35)):
            key = rng.choice(keys)
            chance = rng.random()
            if chance < 0.2 and (key[0] == self.crm or self.web_deletes):
                self._put(key, {"op": "delete"})
                continue
            if chance < 0.45:
                self.records[key] = rng.choice(self.people)  # an update that moves it elsewhere
            self._put(key, self._record(self.records[key]))
            if chance > 0.93:
                self._put(key, self._record(self.records[key]), tied=True)
        next(scene)
        if hub:
            for version in [v for v in self.versions if v.external_id.startswith("hub")][:hub // 2]:
                if self.web_deletes:
                    self._put(version.key, {"op": "delete"})

    def _scene(self):
        """What every history plays, in three acts: two customers that a third record joins and whose deletion parts them
        again, two people of one name and phone whose ids differ and a record that could be either, and a phone that a third name takes over a band."""
        rng = self.rng
        name, twin, _ = rng.sample(SCENE_NAMES, 3)
        phone, shared, common = (f"+86137{rng.randint(10000000, 99999999)}" for _ in range(3))
        email = f"scene.{rng.randint(10000, 99999)}@qq.com"
        ids = [national_id(rng) for _ in range(2)]
        while ids[0] == ids[1]:
            ids[1] = national_id(rng)

        def put(what, **fields):
            self._put((self.crm, f"scene-{what}"), {"fields": fields} if fields else {"op": "delete"})

        put("left", full_name=name, phone=phone)
        put("right", full_name=name, email=email)
        put("twin1", full_name=twin, phone=shared, national_id=ids[0])
        for i in range(2):
            put(f"guest{i}", full_name=HUB_NAMES[i * 13], phone=common)
        yield
        put("bridge", full_name=name, phone=phone, email=email)
        put("twin2", full_name=twin, phone=shared, national_id=ids[1])
        put("between", full_name=twin, phone=shared)
        put("guest2", full_name=HUB_NAMES[30], phone=common)
        yield
        put("bridge")
        yield

    def _decide(self):
        rng = self.rng
        keys = sorted(self.records)
        decisions = []
        for kind in ("always", "never", "always"):
            for _ in range(rng.randint(0, 2)):
                a, b = rng.sample(keys, 2)
                decisions.append((kind, a, b, kind == "always" and rng.random() < 0.3))
        if not decisions:
            decisions.append(("never", *rng.sample(keys, 2), False))
        return decisions

    def final(self):
        """The newest version of every record, all of them where several share its time; deleted records left out."""
        newest = {}
        for version in self.versions:
            standing = newest.get(version.key)
            if standing is None or version.at > standing[0].at:
                newest[version.key] = [version]
            elif version.at == standing[0].at:
                standing.append(version)
        return [v for versions in newest.values() for v in versions if not versions[0].deletes]

    def facts(self):
        """How often what is worth testing happens in the order of effective times."""
        live, counts = {}, {"deletes": 0, "returns": 0, "band crossings": 0}
        deleted = set()
        for version in self.versions:
            before = self._degrees(live)
            if version.deletes:
                counts["deletes"] += version.key in live
                live.pop(version.key, None)
                deleted.add(version.key)
            else:
                counts["returns"] += version.key in deleted and version.key not in live
                live[version.key] = version
            after = self._degrees(live)
            counts["band crossings"] += sum(after.get(p, 0).bit_length() != before.get(p, 0).bit_length()
                                            for p in before.keys() | after.keys())
        return counts

    @staticmethod
    def _degrees(live):
        names = {}
        for version in live.values():
            fields = version.record["fields"]
            if "phone" in fields:
                names.setdefault(fields["phone"], set()).add(fields.get("full_name"))
        return {phone: len(held) for phone, held in names.items()}


def configuration(worlds, golden="", extra=""):
    lines = ["sources:"]
    for world in worlds:
        space = f"space{world.number}"
        employers = "true" if world.number % 2 == 0 else "false"
        lines.append(f"  {world.web}: {{type: records, country: CN, space: {space}, employers: {employers}}}")
        lines.append(f"  {world.crm}: {{type: records, country: CN, space: {space}, leads: false, verified: true, "
                     f"employers: {employers}}}")
    ranked = ", ".join([world.crm for world in worlds] + [world.web for world in worlds])
    lines.append(f"golden:\n  source_rank: [{ranked}]\n{golden}")
    return "\n".join(lines) + "\n" + extra
