"""What no server sees of a cURL import: other shells, authentication, secrets, notes and refusals."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.contracts.http import (
    ApiKeyAuth,
    AwsSigV4Auth,
    BasicAuth,
    BearerAuth,
    BinaryBody,
    DigestAuth,
    FormBody,
    JsonBody,
    RawBody,
    RequestDraft,
)
from hub.http_builder.importing import ImportRefused, describe_note, describe_refusal, import_text


def read_one(text: str) -> RequestDraft:
    (draft,) = import_text(text).drafts
    return draft


def codes(draft: RequestDraft) -> set[str]:
    return {note.code for note in draft.notes}


BASH = """curl 'https://app.example.com/api?a=1&b=50%25' \\
  -H 'accept: */*' \\
  -H 'content-type: application/json' \\
  --data-raw '{"text":"say \\"hi\\" & 100% <ok>","n":1}'"""

CHROME_CMD = (
    'curl ^"https://app.example.com/api?a=1^&b=50^%25^" ^\r\n  -H ^"accept: */*^" ^\r\n'
    '  -H ^"content-type: application/json^" ^\r\n'
    '  --data-raw ^"^{^\\^"text^\\^":^\\^"say ^\\^\\^\\^"hi^\\^\\^\\^" ^& 100^% ^<ok^>^\\^",^\\^"n^\\^":1^}^"'
)
CHROME_CMD_BEFORE_2023 = (
    'curl "https://app.example.com/api?a=1&b=50%25" ^\n  -H "accept: */*" ^\n  -H "content-type: application/json" ^\n'
    '  --data-raw "{""text"":""say \\\\""hi\\\\"" & 100% <ok>"",""n"":1}"'
)
CHROME_POWERSHELL = """$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
Invoke-WebRequest -UseBasicParsing -Uri "https://app.example.com/api?a=1&b=50%25" `
-Method "POST" `
-WebSession $session `
-Headers @{
"method"="POST"
  "path"="/api"
  "accept"="*/*"
} `
-ContentType "application/json" `
-Body "{`"text`":`"say \\`"hi\\`" & 100% <ok>`",`"n`":1}\""""
CURL_IN_POWERSHELL = """curl.exe 'https://app.example.com/api?a=1&b=50%25' `
  -H 'accept: */*' `
  -H 'content-type: application/json' `
  --data-raw '{\\"text\\":\\"say \\\\\\"hi\\\\\\" & 100% <ok>\\",\\"n\\":1}'"""


@pytest.mark.parametrize("text", [CHROME_CMD, CHROME_CMD_BEFORE_2023, CURL_IN_POWERSHELL])
def test_windows_shells_say_the_same_as_bash(text: str) -> None:
    assert read_one(text).definition == read_one(BASH).definition


def test_powershell_says_the_same_as_bash() -> None:
    ours, bash = read_one(CHROME_POWERSHELL).definition, read_one(BASH).definition
    # PowerShell follows redirects by itself.
    assert ours.settings.follow_redirects
    assert ours.model_copy(update={"settings": bash.settings}) == bash


def test_session_of_chrome_gives_agent_and_cookies() -> None:
    draft = read_one(
        '$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n$session.UserAgent = "Mozilla/5.0"\n'
        '$session.Cookies.Add((New-Object System.Net.Cookie("sid", "abc123", "/", "x.example")))\n'
        '$session.Cookies.Add((New-Object System.Net.Cookie("b", "$([char]233)", "/", "x.example")))\n'
        'Invoke-WebRequest -Uri "https://x.example/" -WebSession $session'
    )
    assert draft.secrets == {"COOKIE": "sid=abc123;b=é"}
    assert [(row.name, row.value) for row in draft.definition.headers] == [
        ("User-Agent", "Mozilla/5.0"),
        ("Cookie", "{{COOKIE}}"),
    ]


def test_rest_method_by_hand() -> None:
    draft = read_one(
        "$headers = @{ Authorization = \"Bearer $env:API_TOKEN\"; 'X-Trace' = 'one' }\n"
        "Invoke-RestMethod -Method Post -Uri https://x.example/items -Headers $headers "
        "-Body '{\"a\":1}' -ContentType application/json"
    )
    assert draft.definition.auth == BearerAuth(token="{{API_TOKEN}}")
    assert draft.definition.body == JsonBody(text='{"a":1}')
    assert [row.name for row in draft.definition.headers] == ["X-Trace"]


def test_cmd_variable_is_a_placeholder() -> None:
    draft = read_one('curl ^\n -H "Authorization: Bearer %API_TOKEN%" "https://x.example/%E2%82%AC"')
    assert draft.definition.auth == BearerAuth(token="{{API_TOKEN}}")
    assert draft.definition.url == "https://x.example/%E2%82%AC"


def test_authentication_is_taken_out_of_the_text() -> None:
    found = read_one("curl -u ada:lovelace1 https://x.example")
    assert (found.definition.auth, found.secrets) == (
        BasicAuth(username="ada", password="{{PASSWORD}}"),
        {"PASSWORD": "lovelace1"},
    )
    found = read_one("curl --digest -u ada:lovelace1 https://x.example")
    assert found.definition.auth == DigestAuth(username="ada", password="{{PASSWORD}}")
    found = read_one("curl -H 'X-Api-Key: abcdef123456' https://x.example")
    assert (found.definition.auth, found.secrets) == (
        ApiKeyAuth(name="X-Api-Key", value="{{X_API_KEY}}"),
        {"X_API_KEY": "abcdef123456"},
    )
    found = read_one("curl -u AKID:verysecret --aws-sigv4 aws:amz https://s3.eu-west-1.amazonaws.com/bucket")
    assert found.definition.auth == AwsSigV4Auth(
        access_key_id="AKID", secret_access_key="{{AWS_SECRET_ACCESS_KEY}}", region="eu-west-1", service="s3"
    )


def test_secrets_of_bodies_and_addresses_are_named() -> None:
    found = read_one("curl https://x.example/token -d grant_type=password -d password=hunter22")
    assert found.secrets == {"PASSWORD": "hunter22"}
    found = read_one("""curl --json '{"user": "ada", "password": "hunter22"}' https://x.example""")
    assert found.definition.body == JsonBody(text='{"user": "ada", "password": "{{PASSWORD}}"}')
    found = read_one("curl https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe")
    assert found.definition.url == "https://api.telegram.org/bot{{TOKEN}}/getMe"


def test_fields_of_a_vendors_example_stay_fields_letter_for_letter() -> None:
    command = """curl https://api.stripe.com/v1/charges -d "metadata[order]=6735" -d description="My First Test" -d amount=2000"""
    body = read_one(command).definition.body
    assert isinstance(body, FormBody)
    assert body.as_written
    assert [(row.name, row.value) for row in body.fields] == [
        ("metadata[order]", "6735"),
        ("description", "My First Test"),
        ("amount", "2000"),
    ]
    assert body.decoded().fields == body.fields


def test_json_that_is_sent_as_a_form_is_text() -> None:
    assert isinstance(read_one("""curl https://a.example -d '{"a": "b=c&d=e"}'""").definition.body, RawBody)


def test_files_wait_for_an_upload(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("server") / "secret.txt"
    secret.write_text("of the server")
    for command in (
        "-d @{}",
        "--data-binary @{}",
        "-T {}",
        "-F f=@{}",
        "-F 'f=<{}'",
        "--data-urlencode a@{}",
        "-K {}",
        "-H @{}",
        "-b {}",
    ):
        draft = read_one(f"curl {command.format(secret)} https://x.example/")
        assert "of the server" not in draft.model_dump_json()
        assert draft.notes
    assert read_one(f"curl -d @{secret} https://x.example").definition.body == BinaryBody(
        file_name="secret.txt", content_type="application/x-www-form-urlencoded"
    )


def test_nothing_is_run() -> None:
    draft = read_one('curl -H "X-Now: $(touch /tmp/never; date)" "https://x.example/`id`"')
    assert "{{COMMAND_1}}" in draft.definition.model_dump_json()
    assert codes(draft) == {"command-substitution"}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("curl --frobnicate https://x.example", "option-unknown"),
        ("curl -x http://proxy https://x.example", "option-ignored"),
        ("curl --request=POST https://x.example", "option-equals"),
        ("curl 'https://x.example/[1-3]'", "url-glob"),
        ("curl https://x.example/a?b=1&c=2", "cut-at-ampersand"),
        ("curl -X post https://x.example", "method-case"),
        ("curl -m 1000 https://x.example", "number-changed"),
        ("curl -u ada https://x.example", "password-missing"),
        ("curl --ntlm -u a:b https://x.example", "auth-unsupported"),
        ("curl -b cookies.txt https://x.example", "cookie-file"),
        ("curl -d '{}' https://x.example", "json-as-form"),
        ("curl -F 'f=@a,b' https://x.example", "form-several-files"),
        ("curl https://x.example -d", "option-without-value"),
    ],
)
def test_what_is_not_taken_over_is_told(command: str, code: str, app: Flask) -> None:
    draft = import_text(command).drafts[0]
    assert code in codes(draft)
    with app.test_request_context():
        for note in draft.notes:
            assert describe_note(note) != note.code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("hello", "unknown-format"),
        ("curl", "no-url"),
        ("curl -X POST", "no-url"),
        ("curl ftp://x.example/file", "not-http"),
        ("curl -X PURGE https://x.example", "method-unknown"),
        ("curl 'https://x.example", "quote-open"),
        ("curl " + "https://x.example " * 300, "too-many-requests"),
        ("curl https://x.example -d " + "a" * 2_000_001, "too-large"),
        ('curl -d "' + "$(" * 2000, "quote-open"),
    ],
)
def test_refusals_have_words(text: str, code: str, app: Flask) -> None:
    with pytest.raises(ImportRefused) as refused:
        import_text(text)
    assert refused.value.code == code
    with app.test_request_context():
        assert describe_refusal(refused.value) != code


def test_a_document_about_curl_is_no_command() -> None:
    for text in ('{"info": "curl https://x.example"}', "openapi: 3.1.0\ninfo:\n  description: |\n    curl https://x.example\n"):
        with pytest.raises(ImportRefused, match=r"unknown-format|no-requests"):
            import_text(text)


WORDS = st.sampled_from(
    ["curl ", "-d ", "-F ", "a=@", "'", '"', "$'", "\\", "\n", "^", "`", "@{", "$(", "${", "<<EOF", "|", "&", "{",
     "https://x.example/", "[", "%", "Invoke-WebRequest -Uri ", "-Headers ", ";type=", "--next ",
     "-u ", "-H ", ": ", "\x00", "\ud800", "é", "--json "]
)  # fmt: skip


@settings(max_examples=400)
@example("Invoke-WebRequest -Uri x -Headers @{a=")
@example("curl --data-urlencode \ud800 x")
@example("curl 'http://[::1'")
@example("curl -d $'\\UFFFFFFFF' x")
@given(st.one_of(st.lists(WORDS, max_size=14).map("".join), st.text(max_size=40)).map(lambda text: f"curl {text}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in (None, "curl"):
        try:
            result = import_text(text.removeprefix("curl ") if kind else text, kind=kind)
        except ImportRefused:
            continue
        assert result.drafts
