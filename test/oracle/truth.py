"""What windows, freezes and cron schedules mean, told by Python's datetime and zoneinfo in the plainest way.

Nothing in here is shared with the controller, and nothing is clever: near() looks at every minute, far() at every day.
"""

import datetime
import functools
import heapq
import re
import zoneinfo

UTC = datetime.timezone.utc
MINUTE, HOUR, DAY = 60, 3600, 86400
SEARCH = 5 * 366 * DAY  # further than this nothing is looked for
SIGHT = 8 * DAY  # an end that is further away is not told
EPOCH_DATE = datetime.date(1970, 1, 1)
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

zone = functools.lru_cache(None)(zoneinfo.ZoneInfo)


def offset(name, at):
    delta = datetime.datetime.fromtimestamp(at, zone(name)).utcoffset()
    return delta.days * DAY + delta.seconds


# ---- cron


class Refused(Exception):
    """reason: what stands in the condition Accepted."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def cron_value(text, words, first):
    upper = [word.upper() for word in words]
    if text.upper() in upper:
        return upper.index(text.upper()) + first, True
    if re.fullmatch(r"[0-9]{1,4}", text):
        return int(text), False
    raise Refused("InvalidSchedule")


def cron_item(item, low, high, words, first):
    body, slash, step = item.partition("/")
    if slash and (not re.fullmatch(r"[0-9]{1,4}", step) or int(step) == 0):
        raise Refused("InvalidSchedule")
    begin, dash, end = body.partition("-")
    if body == "*":
        a, b = low, high
    elif dash:
        a, b = cron_value(begin, words, first)[0], cron_value(end, words, first)[0]
        if words is DAYS and b == 0 and a > 0:
            b = 7
    else:
        a = cron_value(begin, words, first)[0]
        b = high if slash else a
    if not low <= a <= b <= high:
        raise Refused("InvalidSchedule")
    return set(range(a, b + 1, int(step) if slash else 1))


class Cron:
    """A schedule: which minutes of a day, and which dates."""

    def __init__(self, text):
        fields = re.split(r"[ \t]+", text.strip(" \t"))
        if len(fields) != 5:
            raise Refused("InvalidSchedule")
        kinds = ((0, 59, (), 0), (0, 23, (), 0), (1, 31, (), 0), (1, 12, MONTHS, 1), (0, 7, DAYS, 0))
        sets = []
        for field, kind in zip(fields, kinds):
            sets.append(set().union(*(cron_item(item, *kind) for item in field.split(","))))
        minutes, hours, self.days, self.months, weekdays = sets
        self.weekdays = {day % 7 for day in weekdays}
        self.minutes = sorted(hour * 60 + minute for hour in hours for minute in minutes)
        self.any_day, self.any_weekday = fields[2] == "*", fields[4] == "*"
        start = datetime.date(2096, 1, 1)  # 2096 and 2104 are leap years, and there is none between
        if not any(self.on(start + datetime.timedelta(days=i)) for i in range(9 * 366)):
            raise Refused("ScheduleNeverFires")

    def on(self, date):
        if date.month not in self.months:
            return False
        day, weekday = date.day in self.days, date.isoweekday() % 7 in self.weekdays
        if self.any_day and self.any_weekday:
            return True
        if self.any_day or self.any_weekday:
            return weekday if self.any_day else day
        return day or weekday


class Weekly:
    def __init__(self, days, start):
        self.weekdays = {DAYS.index(day) for day in days}
        self.minutes = [int(start[:2]) * 60 + int(start[3:])]

    def on(self, date):
        return date.isoweekday() % 7 in self.weekdays


class Window:
    def __init__(self, spec):
        weekly = spec["type"] == "Weekly"
        self.name, self.zone = spec["name"], spec.get("timeZone", "Etc/UTC")
        self.rule = Weekly(spec["days"], spec["start"]) if weekly else Cron(spec["schedule"])
        self.seconds = int(spec["duration"][:-1]) * MINUTE


def time_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Policy:
    def __init__(self, spec):
        self.windows = [Window(item) for item in spec.get("windows", [])]
        self.freezes = [(item["name"], time_of(item["from"]), time_of(item["to"])) for item in spec.get("freezes", [])]

    def freeze_at(self, at):
        return next((name for name, begin, end in self.freezes if begin <= at < end), "-")


# ---- minute by minute

LEAD, AHEAD = 11 * DAY, 13 * DAY


class Era:
    """Every minute of some weeks around a moment in one zone, and which local minutes each of them shows anew."""

    def __init__(self, name, middle):
        self.name = name
        self.begin = (middle - LEAD) // MINUTE * MINUTE
        self.count = (LEAD + AHEAD) // MINUTE
        self.shown = {}  # by day: (minute of the day, index)
        latest = max((t + offset(name, t)) // MINUTE for t in range(self.begin - 3 * DAY, self.begin, MINUTE))
        for index in range(self.count):
            at = self.begin + index * MINUTE
            local = (at + offset(name, at)) // MINUTE
            for fresh in range(latest + 1, local + 1):
                self.shown.setdefault(fresh // 1440, []).append((fresh % 1440, index))
            latest = max(latest, local)

    def starts(self, window):
        minutes = set(window.rule.minutes)
        for day, shown in self.shown.items():
            if window.rule.on(EPOCH_DATE + datetime.timedelta(days=day)):
                yield from (index for minute, index in shown if minute in minutes)


class Near:
    """The answers of a policy whose windows are all in the zone of an era."""

    def __init__(self, policy, era):
        self.policy, self.era = policy, era
        self.covers = []
        for window in policy.windows:
            bits = bytearray(era.count)
            for start in era.starts(window):
                end = min(era.count, start + window.seconds // MINUTE)
                bits[start:end] = b"\1" * (end - start)
            self.covers.append(bits)
        union = 0 if self.covers else int.from_bytes(b"\1" * era.count, "big")
        for bits in self.covers:
            union |= int.from_bytes(bits, "big")
        self.open = bytearray(union.to_bytes(era.count, "big"))
        for _, begin, end in policy.freezes:
            a, b = (max(0, min(era.count, (t - era.begin) // MINUTE)) for t in (begin, end))
            self.open[a:b] = bytes(b - a)

    def answer(self, at):
        """As answer.c writes it; None where it lies beyond the era."""
        index = (at - self.era.begin) // MINUTE
        name = next((w.name for w, bits in zip(self.policy.windows, self.covers) if bits[index]), "-")
        end = self.open.find(0, index) if self.open[index] else -1
        closes = self.era.begin + end * MINUTE
        seen = end >= 0 and closes < at + SIGHT
        if self.open[index] and end < 0 and self.era.begin + self.era.count * MINUTE < at + SIGHT:
            return None
        opens = "-"
        if not self.open[index] or seen:
            begin = self.open.find(1, end if self.open[index] else index)
            if begin < 0:
                return None
            opens = self.era.begin + begin * MINUTE
        word = "open" if self.open[index] else "closed"
        return f"{word} {name} {self.policy.freeze_at(at)} {closes if seen else '-'} {opens}"


# ---- day by day


@functools.lru_cache(200000)
def instant(name, date, minute):
    """When the clocks of a zone first show this minute of a date, or, where they skip it, when they go forward."""
    naive = datetime.datetime.combine(date, datetime.time(minute // 60, minute % 60))
    at = int(naive.replace(tzinfo=zone(name), fold=0).timestamp())
    if datetime.datetime.fromtimestamp(at, zone(name)).replace(tzinfo=None) == naive:
        return at
    while offset(name, at - MINUTE) == offset(name, at):
        at -= MINUTE
    return at


def starts_from(window, at):
    date = datetime.datetime.fromtimestamp(at, UTC).date() - datetime.timedelta(days=3)
    while True:
        if window.rule.on(date):
            for minute in window.rule.minutes:
                yield instant(window.zone, date, minute)
        date += datetime.timedelta(days=1)
        if (date - EPOCH_DATE).days * DAY > at + 20 * DAY + SEARCH:
            return


def stretches(policy, at):
    """What the windows cover, merged, as (begin, end) from some time before at on; what is very long comes in parts."""

    def intervals(window):
        for start in starts_from(window, at - window.seconds):
            yield start, start + window.seconds

    begin = end = None
    for a, b in heapq.merge(*(intervals(window) for window in policy.windows)):
        if begin is None or a > end:
            if begin is not None:
                yield begin, end
            begin, end = a, b
        end = max(end, b)
        if end - max(at, begin) > SIGHT:
            yield begin, end
            begin = end
    if begin is not None:
        yield begin, end


def thawed(policy, parts):
    """The parts of stretches that no freeze takes away."""
    cuts = sorted((begin, end) for _, begin, end in policy.freezes)
    for begin, end in parts:
        for a, b in cuts:
            if begin < a < end:
                yield begin, a
            if a < end and b > begin:
                begin = max(begin, min(b, end))
        if begin < end:
            yield begin, end


def far(policy, at):
    endless = [(at - 100 * 366 * DAY, at + 100 * 366 * DAY)]
    parts = thawed(policy, stretches(policy, at) if policy.windows else endless)
    state, closes, opens = "closed", "-", "-"
    for begin, end in parts:
        if end <= at:
            continue
        if begin <= at:
            state = "open"
            if end >= at + SIGHT:
                break
            closes = end
        elif begin <= at + SEARCH and (state == "closed" or closes != "-"):
            opens = begin
            break
        elif begin > at + SEARCH:
            break
    name = "-"
    for window in policy.windows:
        begins = (s for s in starts_from(window, at - window.seconds) if s + window.seconds > at)
        if next(begins, at + 1) <= at:
            name = window.name
            break
    return f"{state} {name} {policy.freeze_at(at)} {closes} {opens}"
