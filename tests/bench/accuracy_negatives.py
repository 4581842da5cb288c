"""Pairs of Chinese company names that look alike and are two companies: what a matcher must not take for one.

Made of real names by three changes, in turn: another branch, another character in the brand, another city. The lists
are everyday knowledge; which name is changed how is drawn from a seed.
"""
import random
import re

CITIES = ("北京 上海 广州 深圳 杭州 南京 苏州 成都 武汉 重庆 天津 西安 青岛 大连 宁波 厦门 福州 长沙 郑州 济南 合肥 无锡 "
          "昆明 沈阳 哈尔滨 长春 石家庄 太原 南昌 贵阳 南宁 海口 兰州 乌鲁木齐 珠海 东莞 佛山 中山 温州 绍兴 常州 徐州 "
          "烟台 潍坊 泉州 惠州 嘉兴 金华").split()
FORMS = re.compile("(股份有限公司|有限责任公司|集团有限公司|有限公司|公司)$")
BRANCH = re.compile("(分行|支行|分公司|营业部|分店|支公司|办事处)$")
STARTS = re.compile("^(" + "|".join(CITIES) + ")(市?)")
# What stands in brands; none sounds like another.
CHARACTERS = "华信达盛康瑞丰源泰恒嘉宏远通安创联博雅鑫明德正隆润天金海荣昌凯东方"


def other(random_of, choices, than):
    return random_of.choice([choice for choice in choices if choice != than])


def branch(name, random_of):
    """A branch of it, or another branch of the same house."""
    if BRANCH.search(name):
        for city in CITIES:
            at = name.find(city)
            if at > 0:
                return name[:at] + other(random_of, CITIES, city) + name[at + len(city):]
        return None
    if not FORMS.search(name) or "合伙" in name:
        return None
    return name + random_of.choice(CITIES) + "分公司"


def brand(name, random_of):
    """One of the first two characters after the city is another one."""
    start = STARTS.match(name)
    if not start or not FORMS.search(name) or BRANCH.search(name):
        return None
    at = start.end() + random_of.randrange(2)
    if at >= FORMS.search(name).start() or not "一" <= name[at] <= "龥":
        return None
    return name[:at] + other(random_of, CHARACTERS, name[at]) + name[at + 1:]


def city(name, random_of):
    start = STARTS.match(name)
    if not start or BRANCH.search(name):
        return None
    return other(random_of, CITIES, start.group(1)) + start.group(2) + name[start.end():]


def hard_negatives(names, count, seed):
    """[(name, another company's name, how it was changed)], each name and change at most once."""
    random_of = random.Random(seed)
    names = sorted(set(names))
    kinds, made, seen = (branch, brand, city), [], set()
    for attempt in range(count * 200):
        if len(made) == count:
            break
        change, name = kinds[len(made) % len(kinds)], random_of.choice(names)
        changed = change(name, random_of)
        if changed and changed != name and (name, change) not in seen:
            seen.add((name, change))
            made.append((name, changed, change.__name__))
    return made
