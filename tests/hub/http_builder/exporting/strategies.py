"""Random requests that every tool can send."""

from __future__ import annotations

from hypothesis import strategies as st

from hub.contracts.catalog import HttpMethod
from hub.contracts.http import (
    ApiKeyAuth,
    BasicAuth,
    BearerAuth,
    FormBody,
    GraphqlBody,
    JsonBody,
    MultipartBody,
    MultipartPart,
    NoAuth,
    NoBody,
    Pair,
    RawBody,
    RequestDefinition,
    RequestSettings,
    XmlBody,
)

#: Signs that shells, programs and URLs read something into.
SIGNS = "aZ09 '\"\\$`!%&|<>()[]{}^~*?#;:=+-_.,/@é ع😀"
HEADER_SIGNS = "aZ09 '\"\\$`!%&|<>()[]^~*?#;:=+-_.,/@"


def texts(signs: str = SIGNS, *, least: int = 0) -> st.SearchStrategy[str]:
    """Texts of awkward signs, without placeholders."""
    return st.text(st.sampled_from(signs), min_size=least, max_size=12).filter(lambda text: "{{" not in text)


def lines() -> st.SearchStrategy[str]:
    """Texts of several lines."""
    return texts(SIGNS + "\n\t")


NAMES = st.sampled_from(["a", "name", "X y", "filter[x]", "ä", "q&q"])
VALUES = st.one_of(texts(), st.sampled_from(["{{PLAIN}}", "a {{PLAIN}} b", "{{ODD}}"]))
PAIRS = st.builds(Pair, name=NAMES, value=VALUES)
HEADERS = st.builds(
    Pair,
    name=st.sampled_from(["X-One", "X-Two", "Accept", "X-Trace-Id"]),
    value=st.one_of(texts(HEADER_SIGNS).map(str.strip), st.just("v {{PLAIN}}!")),
)
PARTS = st.builds(MultipartPart, name=st.sampled_from(["a", "b c", "x[]"]), value=st.one_of(texts(), st.just("{{PLAIN}};x")))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | texts(), lambda inner: st.lists(inner, max_size=2), max_leaves=4
)


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """JSON with a variable within a string and one by itself."""
    import json

    value = json.dumps(draw(JSON), ensure_ascii=draw(st.booleans())).replace("{{", "{ {")
    return draw(st.sampled_from([value, f'{{"a": {value},\n "b": "x {{{{PLAIN}}}}"}}', f'{{"n": {{{{NUMBER}}}}, "a": {value}}}']))


BODIES = st.one_of(
    st.just(NoBody()),
    st.builds(JsonBody, text=json_texts()),
    st.builds(FormBody, fields=st.lists(PAIRS, max_size=4).map(tuple)),
    st.builds(MultipartBody, parts=st.lists(PARTS, min_size=1, max_size=3).map(tuple)),
    st.builds(RawBody, text=lines(), content_type=st.sampled_from(["text/plain", "text/csv; charset=utf-8", ""])),
    st.builds(XmlBody, text=texts(least=1).map(lambda text: f"<a>{text}</a>")),
    st.builds(GraphqlBody, query=st.just('query { a(b: "c") }'), variables=st.sampled_from(["", '{"a": "{{PLAIN}}"}'])),
)
AUTHS = st.one_of(
    st.just(NoAuth()),
    st.builds(BasicAuth, username=texts("aZ09.@ '\"$!"), password=st.just("{{PLAIN}}")),
    st.builds(BearerAuth, token=st.just("{{PLAIN}}"), prefix=st.sampled_from(["Bearer", "Bot"])),
    st.builds(ApiKeyAuth, name=st.just("X-Api-Key"), value=st.just("{{PLAIN}}")),
    st.builds(ApiKeyAuth, name=st.just("api_key"), value=st.just("{{ODD}}"), place=st.just("query")),
)
PATHS = st.lists(st.one_of(texts("aZ09 '\"$`!%&|()[]~*;:=+-_.,@éع", least=1), st.just("{{PLAIN}}")), max_size=3).map("/".join)
SETTINGS = st.builds(
    RequestSettings,
    follow_redirects=st.booleans(),
    verify_tls=st.booleans(),
    timeout_seconds=st.sampled_from([30.0, 10.0, 2.5]),
)


def definitions(port: int) -> st.SearchStrategy[RequestDefinition]:
    """Requests to the server on this port."""
    return st.builds(
        RequestDefinition,
        method=st.sampled_from([HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE]),
        url=PATHS.map(lambda path: f"http://127.0.0.1:{port}/{path}"),
        params=st.lists(PAIRS, max_size=3).map(tuple),
        headers=st.lists(HEADERS, max_size=3, unique_by=lambda row: row.name).map(tuple),
        body=BODIES,
        auth=AUTHS,
        settings=SETTINGS,
    )
