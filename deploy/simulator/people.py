"""Who banks here: customers with a profile, an income, a balance they keep to, and a rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final, Literal

_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国志"
_TRADES: Final = ("科技", "贸易", "建材", "食品", "物流", "机械", "农业", "纺织")
_OCCUPATIONS: Final = ("teacher", "engineer", "clerk", "driver", "nurse", "merchant", "worker", "farmer")

Income = Literal["salary", "pension", "own_business", "enterprise"]


@dataclass(slots=True)
class Loan:
    """A loan and how far it has come. From instalment ``stops_at`` on nothing is repaid."""

    loan_id: str
    account_id: str
    instalment: int
    due_on: int
    number: int
    last: int
    stops_at: int | None = None


@dataclass(slots=True)
class Customer:
    """One customer's facts and running state; money in fen."""

    id: str
    account_id: str
    income: Income
    outlet: str
    manager: str
    monthly: int  # money in per month, usually
    target: int  # the balance kept on average
    balance: int
    rate: float  # activities per day
    spend: int  # mean amount of one spending at the usual balance
    clock: float  # days from the start: when the next activity happens
    joined: int  # day number; negative: before the simulation
    profile: dict[str, Any]
    silent_from: int | None = None
    salary_stops: int | None = None
    in_story: bool = False
    complaining: bool = False
    loan: Loan | None = None

    @property
    def is_person(self) -> bool:
        return self.income != "enterprise"

    def is_here(self) -> bool:
        """Whether the customer was one before the simulation began."""
        return self.joined < 0


def populate(random: Random, count: int, outlets: int, start: date, days: int) -> list[Customer]:
    """All customers of the bank, those who join later included."""
    return [_customer(random, number, outlets, start, days) for number in range(1, count + 1)]


def _customer(random: Random, number: int, outlets: int, start: date, days: int) -> Customer:
    draw = random.random()
    income: Income = "salary" if draw < 0.66 else "pension" if draw < 0.84 else "own_business" if draw < 0.95 else "enterprise"
    outlet = random.randrange(1, outlets + 1)
    rate = min(3.0, max(0.3, random.gammavariate(5.0, 0.19)))
    joined = -random.randrange(30, 6000)
    if random.random() < 0.03 and days > 30:
        joined = random.randrange(5, days - 20)
    if income == "enterprise":
        target = round(random.lognormvariate(13.9, 0.8)) * 100  # around CNY 1,100,000
        monthly, rate, spend = target // 5, max(rate, 0.8) * 2, target // 180
    else:
        median = {"salary": 9.1, "pension": 8.25, "own_business": 9.2}[income]  # CNY 9,000, 3,800 and 9,900 a month
        monthly = round(random.lognormvariate(median, 0.45)) * 100
        target = round(monthly * (3.0 + random.lognormvariate(1.0, 0.9)))
        spend = round(monthly / (rate * 30.4 * 0.9))
    return Customer(
        id=f"c{number:06d}",
        account_id=f"a{number:06d}",
        income=income,
        outlet=f"outlet-{outlet:02d}",
        manager=f"rm-{outlet:02d}-{random.randrange(1, 4)}",
        monthly=monthly,
        target=target,
        balance=round(target * random.uniform(0.85, 1.1)),
        rate=rate,
        spend=spend,
        clock=max(joined, 0) + random.expovariate(rate),
        joined=joined,
        profile=_profile(random, income, target, start + timedelta(days=joined)),
    )


def _profile(random: Random, income: Income, target: int, joined_on: date) -> dict[str, Any]:
    tier = "private" if target >= 600_000_000 else "gold" if target >= 50_000_000 else "silver" if target >= 5_000_000 else "ordinary"
    common = {
        "tier": tier,
        "joined_on": joined_on.isoformat(),
        "region": random.choice(("urban", "urban", "rural", "fringe")),
        "language": "zh",
        "marketing_consent": random.random() < 0.8,
    }
    if income == "enterprise":
        name = f"{random.choice(_SURNAMES)}**{random.choice(_TRADES)}公司"
        return {"display_name": name, "nature": "enterprise", "size": random.choice(("small", "small", "medium", "large"))} | common
    name = random.choice(_SURNAMES) + random.choice(("*", "*" + random.choice(_GIVEN), "*" + random.choice(_GIVEN)))
    age = random.randrange(62, 85) if income == "pension" else random.randrange(22, 60)
    return {
        "display_name": name,
        "nature": "individual",
        "sex": random.choice(("female", "male")),
        "birth_date": date(joined_on.year - age + 5, random.randrange(1, 13), random.randrange(1, 29)).isoformat(),
        "occupation": "retired" if income == "pension" else random.choice(_OCCUPATIONS),
        "risk_preference": random.choice(("conservative", "steady", "steady", "balanced", "growth")),
    } | common
