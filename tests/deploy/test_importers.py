"""Importers on rows written here: each mapping, each reason for leaving a row out, every row accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import UserError
from deploy.importers import IMPORTERS, Imported
from deploy.importers.day_order import Booking, in_booking_order
from schemas.codec import decode
from schemas.topics import load_registry

KINDS = {topic.short: kind for kind, topic in load_registry().inputs.items()}


def events(imported: Imported) -> dict[str, dict[str, Any]]:
    """All events by id, each one valid, in order of time; the closing tick stands last."""
    lines = list(imported.lines())
    times = []
    for line in lines[:-1]:
        assert line.key is not None
        times.append(decode(KINDS[line.topic], line.key.encode(), line.value).occurred_at)  # type: ignore[union-attr]
    assert times == sorted(times)
    assert lines[-1].topic == "ticks"
    found = {(event := json.loads(line.value))["event_id"]: event for line in lines[:-1]}
    assert len(found) == len(lines) - 1
    return found


def accounted(imported: Imported) -> bool:
    return all(file.rows == file.written + file.reference + file.skipped.total() for file in imported.files.values())


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def berka(tmp_path: Path, write: Write) -> Path:
    write(
        "account.asc",
        '"account_id";"district_id";"frequency";"date"\n1;18;"POPLATEK MESICNE";930101\n2;1;"POPLATEK TYDNE";930102\n3;1;"POPLATEK TYDNE";930103\n',
    )
    write("client.asc", '"client_id";"birth_number";"district_id"\n1;"706213";18\n2;"450204";1\n9;"450204";1\n')
    write("disp.asc", '"disp_id";"client_id";"account_id";"type"\n1;1;1;"OWNER"\n2;2;2;"OWNER"\n3;1;2;"DISPONENT"\n')
    write("card.asc", '"card_id";"disp_id";"type";"issued"\n5;1;"gold";931107 00:00:00\n6;99;"gold";931107 00:00:00\n')
    write("loan.asc", "loan_id;account_id;date;amount;duration;payments;status\n77;1;930111;9600;12;800.00;B\n")
    write("order.asc", '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"\n1;1;"YZ";"87";800.30;"UVER"\n2;2;"YZ";"87";5.00;"SIPO"\n')
    write("district.asc", 'A1;A2;A3\n18;"Pisek";"south Bohemia"\n')
    write(
        "trans_a.asc",
        '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"\n'
        '3;1;930105;"VYDAJ";"VYBER";200.00;800.00;"";;\n'  # booked second: its balance follows from the deposit's
        '4;1;930105;"PRIJEM";"VKLAD";1000.00;1000.00;"";;\n'
        '5;1;930112;"VYDAJ";"PREVOD NA UCET";800.30;-0.30;"UVER";"OP";"33671474"\n'
        '6;1;930131;"PRIJEM";"";0.10;-0.20;"UROK";;\n'
        '7;1;930131;"VYDAJ";"VYBER";0.10;-0.30;"SANKC. UROK";;\n'
        '8;1;930215;"PRIJEM";"PREVOD Z UCTU";500.00;499.70;"DUCHOD";"AB";"1"\n'
        '9;2;930116;"VYBER";"VYBER";10.00;90.00;"";;\n'
        '10;2;930117;"VYDAJ";"ZVLASTNI";10.00;80.00;"";;\n'
        '11;7;930117;"VYDAJ";"VYBER";10.00;80.00;"";;\n'
        '12;2;939917;"VYDAJ";"VYBER";10.00;80.00;"";;\n'
        '13;2;930117;"VYDAJ";"VYBER";10.005;80.00;"";;\n'
        "14;2;930117\n",
    )
    write(
        "trans_b.csv",
        "trans_id,account_id,date,type,operation,amount,balance,k_symbol,bank,account\n"
        "20,2,930118,withdrawal,credit card withdrawal,10.00,80.00,,,0\n"
        "21,2,930119,withdrawal,remittance to another bank,10.00,70.00,household,QR,5\n"
        "22,2,930120,withdrawal,remittance to another bank,10.00,60.00,insurrance payment,QR,5\n"
        "23,2,930121,withdrawal,withdrawal in cash,10.00,50.00,payment for statement,,\n"
        "24,2,930122,credit,collection from another bank,10.00,60.00,,AB,6\n",
    )
    return tmp_path


def test_berka_maps_both_dialects(berka: Path) -> None:
    found = events(IMPORTERS["berka"]([berka]))
    kinds = {name.removeprefix("berka-trans-"): (event["kind"], event["direction"], event["channel"]) for name, event in found.items() if "trans" in name}
    assert kinds == {
        "3": ("withdrawal", "out", "branch"),
        "4": ("deposit", "in", "branch"),
        "5": ("loan_repayment", "out", "system"),
        "6": ("interest", "in", "system"),
        "7": ("penalty_interest", "out", "system"),
        "8": ("pension", "in", "system"),
        "9": ("withdrawal", "out", "branch"),
        "20": ("withdrawal", "out", "atm"),
        "21": ("utility_payment", "out", "system"),
        "22": ("insurance_premium", "out", "system"),
        "23": ("fee", "out", "system"),
        "24": ("transfer", "in", "other"),
    }
    repaid = found["berka-trans-5"]
    assert (repaid["loan_id"], repaid["counterparty"], repaid["balance_after"]) == ("berka-loan-77", {"bank": "OP", "account": "33671474"}, "-0.30")
    assert (repaid["customer_id"], repaid["currency"], repaid["outlet_id"]) == ("berka-client-1", "CZK", "berka-district-18")
    assert "counterparty" not in found["berka-trans-20"]


def test_berka_books_a_day_in_the_order_in_which_the_balances_close(berka: Path) -> None:
    found = events(IMPORTERS["berka"]([berka]))
    assert found["berka-trans-4"]["occurred_at"] == "1993-01-05T00:00:02+01:00"
    assert found["berka-trans-3"]["occurred_at"] == "1993-01-05T00:00:03+01:00"


def test_berka_derives_instalments_as_far_as_the_account_is_known(berka: Path) -> None:
    found = events(IMPORTERS["berka"]([berka]))
    dues = [event for name, event in found.items() if "-due-" in name]
    assert [(event["occurred_at"], event["amount"], event["instalment"]) for event in dues] == [
        ("1993-01-12T00:00:01+01:00", "800.30", 1),
        ("1993-02-12T00:00:01+01:00", "800.30", 2),
    ]
    assert (found["berka-loan-77"]["kind"], found["berka-loan-77"]["amount"]) == ("product_opened", "9600.00")


def test_berka_profiles_have_birth_and_sex_but_no_name(berka: Path) -> None:
    found = events(IMPORTERS["berka"]([berka]))
    woman, man = found["berka-client-1"], found["berka-client-2"]
    assert (woman["birth_date"], woman["sex"], woman["joined_on"], woman["district"]) == ("1970-12-13", "female", "1993-01-01", "Pisek")
    assert (man["birth_date"], man["sex"]) == ("1945-02-04", "male")
    assert "display_name" not in woman


def test_berka_accounts_for_every_row(berka: Path) -> None:
    imported = IMPORTERS["berka"]([berka])
    assert accounted(imported)
    assert imported.files["trans_a.asc"].written == 7
    assert dict(imported.files["trans_a.asc"].skipped) == {
        "the transaction has an unknown type, operation or k_symbol": 1,
        "the account has no owner among the dispositions": 1,
        "a date is not YYMMDD": 1,
        "an amount has more decimals than the currency": 1,
        "the row has another number of cells than the header": 1,
    }
    assert imported.files["trans_a.asc"].first_skipped["a date is not YYMMDD"] == 11
    assert imported.files["account.asc"].skipped.total() == imported.files["client.asc"].skipped.total() == imported.files["card.asc"].skipped.total() == 1
    assert imported.files["order.asc"].reference == 2


def test_berka_without_a_file_that_others_hang_on_is_refused(berka: Path, write: Write) -> None:
    (berka / "disp.asc").unlink()
    with pytest.raises(UserError, match="no disp file"):
        IMPORTERS["berka"]([berka])
    with pytest.raises(UserError, match=r"other\.csv:1: the header"):
        IMPORTERS["berka"]([write("other.csv", "a,b\n1,2\n")])
    with pytest.raises(UserError, match="no such file"):
        IMPORTERS["berka"]([berka / "nowhere"])


@pytest.mark.parametrize(
    ("bookings", "before", "order"),
    [
        ([Booking(-200, 800), Booking(1000, 1000)], 0, [1, 0]),
        ([Booking(-200, 800), Booking(1000, 1000)], None, [1, 0]),
        ([Booking(5, 15), Booking(5, 20), Booking(-5, 10), Booking(-5, 15)], 10, [0, 1, 3, 2]),
        ([Booking(-50, 160), Booking(100, 209)], 110, [1, 0]),
        ([Booking(1, 500), Booking(1, 3)], 2, [1, 0]),
        ([Booking(7, 7)], None, [0]),
    ],
)
def test_booking_order(bookings: list[Booking], before: int | None, order: list[int]) -> None:
    assert in_booking_order(bookings, before) == order


HEADER = (
    "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start\tq_exit\tq_time\toutcome\t"
    "ser_start\tser_exit\tser_time\tserver\n"
)


def test_call_centre(write: Write) -> None:
    path = write(
        "01.txt",
        HEADER + "AA0101\t1\t9664491\t2\tPS\t990101\t0:00:31\t0:00:36\t5\t0:00:36\t0:03:09\t153\tHANG\t0:00:00\t0:00:00\t0\tNO_SERVER\n"
        "AA0101\t2\t0\t0\tPS\t990101\t7:02:47\t7:02:56\t9\t0:00:00\t0:00:00\t0\tAGENT\t7:02:55\t7:05:41\t166\tDORIT\n"
        "AA0101\t3\t3.27E+11\t0\tPS\t990101\t8:00:00\t7:59:00\t-60\t0:00:00\t0:00:00\t0\tHANG\t0:00:00\t0:00:00\t0\tNO_SERVER\n"
        "AA0102\t4\t77\t1\tPS\t990101\t9:00:00\t9:00:05\t5\t9:00:05\t9:00:09\t4\tPHANTOM\t0:00:00\t0:00:00\t0\tNO_SERVER\n"
        "AA0102\t5\t77\t1\tPS\t990101\t9:00\t9:00:05\t5\t9:00:05\t9:00:09\t4\tAGENT\t0:00:00\t0:00:00\t0\tNO_SERVER\n"
        "AA0102\t6\t77\t1\tPS\t990101\t9:00:00\t9:00:05\t5\t9:00:05\t9:00:09\t4\tELSE\t0:00:00\t0:00:00\t0\tNO_SERVER\n",
    )
    imported = IMPORTERS["call-centre"]([path])
    found = list(events(imported).values())
    told = [(event["customer_id"], event["outcome"], event.get("wait_seconds"), event.get("handling_seconds"), event["initiator"]) for event in found]
    assert told == [
        ("call-centre-9664491", "abandoned", 153, None, "customer"),
        ("anonymous-call-990101-AA0101-2", "served", 0, 166, "customer"),
        ("anonymous-call-990101-AA0101-3", "abandoned", None, None, "customer"),
        ("call-centre-77", "none", 4, None, "bank"),
    ]
    assert found[0]["occurred_at"] == "1999-01-01T00:00:31+02:00"
    assert found[2]["vru_seconds"] == -60
    assert accounted(imported)
    assert dict(imported.files["01.txt"].skipped) == {"the time is not h:mm:ss": 1, "the outcome is none of AGENT, HANG, PHANTOM": 1}


def test_complaints(write: Write, tmp_path: Path) -> None:
    write(
        "sample.csv",
        "Date received,Product,Sub-product,Issue,Sub-issue,Company,State,ZIP code,Consumer consent provided?,Submitted via,Date sent to company,"
        "Company response to consumer,Timely response?,Consumer disputed?\n"
        "7/29/2013,Consumer Loan,Vehicle loan,Managing the loan or lease,,Some Bank,VA,24540,N/A,Phone,7/30/2013,Closed with explanation,Yes,No\n"
        "7/29/2013,Credit card,,Late fee,,Some Bank,VA,24540,N/A,Web,7/30/2013,Closed,No,Yes\n"
        "7/30/2013,Mortgage,,Other,,Some Bank,VA,24540,N/A,Web,7/30/2013,In progress,Yes,\n"
        "2013-07-30,Mortgage,,Other,,Some Bank,VA,24540,N/A,Web,7/30/2013,In progress,Yes,\n",
    )
    write(
        "log.csv",
        "date_received,product,sub_product,issue,submitted_via,date_sent_to_company,company_response_to_consumer,timely_response,complaint_id,client_id\n"
        "27-03-2017,Credit card,Loan account,Identity theft / Fraud / Embezzlement,Phone,26-03-2017,Closed with relief,Yes,CR1,4587\n",
    )
    write(
        "calls.csv",
        "date_received,complaint_id,rand_client,vru_line,call_id,priority,type,outcome,server,ser_start,ser_exit,ser_time,year,month,day,weekday,"
        "service_seconds,start_hour,service_outlier,agent_handled\n"
        "2017-03-27,CR1,4587.0,AA0103,345.0,0.0,NW,Agent,M,1900-01-01 13:34:11,1900-01-01 13:40:23,0 days 00:06:12,2017,3,27,Monday,372.0,13,False,1\n"
        "2015-09-02,NO_COMPLAINT,-1.0,AA0101,345.0,0.0,NW,Hang,S,1900-01-01 13:27:34,1900-01-01 13:27:38,0 days 00:00:04,2015,9,2,Wed,4.0,13,False,0\n",
    )
    write("narratives.csv", f',Product,Consumer complaint narrative\n549162,Credit card,"a, ""b""\n{"x" * 5000}"\n7,Debt collection,\n')
    imported = IMPORTERS["complaints"]([tmp_path])
    found = events(imported)
    assert accounted(imported)
    assert found["sample-2-received"]["occurred_at"] == "2013-07-29T00:00:00-04:00"
    assert (found["sample-2-received"]["channel"], found["sample-2-received"]["business"], found["sample-2-received"]["timely_response"]) == (
        "phone",
        "loan",
        "Yes",
    )
    assert found["sample-2-closed"]["occurred_at"] == "2013-07-30T00:01:00-04:00"
    late = found["sample-3-closed"]
    assert (late["occurred_at"], late["consumer_disputed"]) == ("2013-08-15T00:00:00-04:00", "Yes")
    assert "derived" in late
    assert found["sample-3-received"]["reason"] == "pricing"
    assert "sample-4-closed" not in found
    received, call = found["CR1-received"], found["complaints-call-2"]
    assert received["occurred_at"] == call["occurred_at"] == "2017-03-27T13:34:11-04:00"
    assert (call["case_id"], call["customer_id"], call["handling_seconds"]) == ("CR1", received["customer_id"], 372)
    assert received["reason"] == "fund_safety"
    assert found["CR1-accepted"]["occurred_at"] > received["occurred_at"]  # the file says the day before: taken as the same call
    assert found["complaints-call-3"]["customer_id"] == "anonymous-call-log-3"
    told = found["narrative-549162-received"]
    assert len(told["narrative"]) == 4000
    assert told["narrative"] + told["narrative_continued"] == f'a, "b"\n{"x" * 5000}'
    assert dict(imported.files["narratives.csv"].skipped) == {"the narrative is empty": 1}
    assert dict(imported.files["sample.csv"].skipped) == {"a date is not in the file's format": 1}
