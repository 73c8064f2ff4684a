"""
Rest.li 2.0 encoding.

The tables marked "rest.li" hold the inputs and outputs that LinkedIn's own open implementation is tested with
(github.com/linkedin/rest.li, Apache-2.0: TestUriParamUtils for encoding, TestURIElementParser for decoding); those
marked "client" are the checked vectors of linkedin.md 14.2.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platforms.restli import NotRestLi, decode, encode, query


class State(StrEnum):
    RUNNING = "RUNNING"


URN = "urn:li:sponsoredAccount:507404993"
CELL = "urn:li:adExperimentCell:(urn:li:sponsoredCampaign:1234,567)"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        # rest.li, records
        ({"a": "b"}, "(a:b)"),
        ({"a": "b", "c": "d"}, "(a:b,c:d)"),
        ({}, "()"),
        ({"": ""}, "('':'')"),
        ({"c": {"a": "b"}}, "(c:(a:b))"),
        ({"empty": {}, "list": [1, 2], "long": {"a": "b", "c": "d"}}, "(empty:(),list:List(1,2),long:(a:b,c:d))"),
        # rest.li, lists
        (["a", "b"], "List(a,b)"),
        ([1, 2, 3, 4, 5], "List(1,2,3,4,5)"),
        ([], "List()"),
        ([""], "List('')"),
        ([["a", "b"], [1, 2, 3, 4, 5]], "List(List(a,b),List(1,2,3,4,5))"),
        ([["a", "b"], {"a": "b"}], "List(List(a,b),(a:b))"),
        # rest.li, characters ("/ = &" are encoded in both places here, which decodes to the same)
        ({",": ["'", "(", ")", ":"]}, "(%2C:List(%27,%28,%29,%3A))"),
        ({"this is a key": ["/", "=", "&"]}, "(this%20is%20a%20key:List(%2F,%3D,%26))"),
        ({"%25": "%"}, "(%2525:%25)"),
        ({"key1": "stringVal", "key2": 5, "key3": "VALUE_1"}, "(key1:stringVal,key2:5,key3:VALUE_1)"),
        (6, "6"),
        ("key", "key"),
        ({"konnichiwa": "こんにちは"}, "(konnichiwa:%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF)"),
        ({"smiley": "☺"}, "(smiley:%E2%98%BA)"),
        ({"stickoutTongue": "\U0001f61b"}, "(stickoutTongue:%F0%9F%98%9B)"),
        # client and ours
        (URN, "urn%3Ali%3AsponsoredAccount%3A507404993"),
        (CELL, "urn%3Ali%3AadExperimentCell%3A%28urn%3Ali%3AsponsoredCampaign%3A1234%2C567%29"),
        ("''", "%27%27"),
        ("a b+c", "a%20b%2Bc"),
        ([True, False, State.RUNNING, -1], "List(true,false,RUNNING,-1)"),
        ((1, "x"), "List(1,x)"),
        ({2, 1}, "List(1,2)"),
        ("List", "List"),
        ("List()", "List%28%29"),
        ("\r\n\x00~", "%0D%0A%00~"),
    ],
)
def test_encoding(value: Any, encoded: str) -> None:
    assert encode(value) == encoded


@pytest.mark.parametrize("value", [None, 1.5, b"x", object(), [None], {"a": None}, {None: "a"}, {True: "a"}])
def test_values_without_a_form(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("\ud83d")


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        # client
        (query(ids=[12685, 11111]), "ids=List(12685,11111)"),
        (
            query(
                search={
                    "accountCriteria": {"values": [URN]},
                    "executionStateCriteria": {"values": ["PENDING", "RUNNING", "ON_HOLD", "STOPPED"]},
                }
            ),
            "search=(accountCriteria:(values:List(urn%3Ali%3AsponsoredAccount%3A507404993)),"
            "executionStateCriteria:(values:List(PENDING,RUNNING,ON_HOLD,STOPPED)))",
        ),
        (
            query(sort=[{"field": "NAME"}, {"field": "CREATED", "order": "DESCENDING"}]),
            "sort=List((field:NAME),(field:CREATED,order:DESCENDING))",
        ),
        (
            query(criteria={"experimentIds": [123, 234]}, q="searchByCriteria"),
            "criteria=(experimentIds:List(123,234))&q=searchByCriteria",
        ),
        # rest.li, its sorted parameters given in that order
        (
            query(aParam={"empty": {}, "foo": "bar", "someField": "someValue"}, bParam=["x", "y", "z"]),
            "aParam=(empty:(),foo:bar,someField:someValue)&bParam=List(x,y,z)",
        ),
        (query(fields="name,friends:($start:1,$count:2)"), "fields=name,friends:($start:1,$count:2)"),
        # ours
        (query(fields=["id", "name"], start=0, count=None), "fields=id,name&start=0"),
        (query(q="a&b=c", from_="x"), "q=a%26b%3Dc&from=x"),
        (query(), ""),
    ],
)
def test_queries(built: str, expected: str) -> None:
    assert built == expected


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        # rest.li
        ("(someString:foo,anotherString:bar)", {"someString": "foo", "anotherString": "bar"}),
        ("()", {}),
        ("List()", []),
        ("(empty:'')", {"empty": ""}),
        ("(foo:(bar:baz))", {"foo": {"bar": "baz"}}),
        ("List(List(a,b),List(c,d,e))", [["a", "b"], ["c", "d", "e"]]),
        (
            "(anObject:(foo:bar),aList:List(1,2,3,4),aString:baz)",
            {"anObject": {"foo": "bar"}, "aList": ["1", "2", "3", "4"], "aString": "baz"},
        ),
        ("(this%20is%20a%20key:List(%2F,%3D,%26))", {"this is a key": ["/", "=", "&"]}),
        ("(%2C:List(%27,%28,%29,%3A))", {",": ["'", "(", ")", ":"]}),
        ("(konnichiwa:%E3%81%93%E3%82%93%E3%81%AB%E3%81%A1%E3%81%AF)", {"konnichiwa": "こんにちは"}),
        ("(smiley:%E2%98%BA)", {"smiley": "☺"}),
        ("(stickoutTongue:%F0%9F%98%9B)", {"stickoutTongue": "\U0001f61b"}),
        ("(someField:someValue,foo:bar,empty:())", {"someField": "someValue", "foo": "bar", "empty": {}}),
        ("(this%20is%20a%20key:List(/,%3D,%26))", {"this is a key": ["/", "=", "&"]}),
        # ours
        ("%27%27", "''"),
        ("''", ""),
        ("List", "List"),
        ("(List:List(List))", {"List": ["List"]}),
        ("List('')", [""]),
        ("a+b", "a+b"),
    ],
)
def test_decoding(encoded: str, value: Any) -> None:
    assert decode(encoded) == value


@pytest.mark.parametrize(
    "text",
    [
        # rest.li: the strings its parser is tested to refuse
        "hello:",
        "(a:b",
        "List(a",
        "List(a,",
        ",hello",
        "(,",
        "(a,b)",
        "List(a,b,)",
        "(a:b:c)",
        "List(a:b)",
        "List(a,,b)",
        "(:b)",
        "(a:)",
        "(a::b)",
        "",
        # ours
        "List(",
        "(a:b,)",
        "(a:b))",
        "List(a)b",
        "a,b",
        "%zz",
        "%4",
        "%FF",
        "a b",
        "it's",
        "(a:1,a:2)",
        "foo(a)",
        "List(" * 60 + ")" * 60,
    ],
)
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(NotRestLi, match="column"):
        decode(text)


texts = st.text(st.characters(exclude_categories=("Cs",)))
values = st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15)


@given(values)
def test_decoding_gives_back_what_was_encoded(value: Any) -> None:
    encoded = encode(value)
    assert decode(encoded) == value
    assert encoded.isascii()
    assert not set(encoded) & set(' &=#?/+\r\n"<>')
