"""curl's options: which exist, which take a value, and what a command's words say, one operation for each ``--next``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.contracts.http import Note

SHORT = {
    "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6", "#": "progress-bar", ":": "next",
    "a": "append", "A": "user-agent", "b": "cookie", "B": "use-ascii", "c": "cookie-jar", "C": "continue-at", "d": "data",
    "D": "dump-header", "e": "referer", "E": "cert", "f": "fail", "F": "form", "g": "globoff", "G": "get", "h": "help",
    "H": "header", "i": "include", "I": "head", "j": "junk-session-cookies", "J": "remote-header-name", "k": "insecure",
    "K": "config", "l": "list-only", "L": "location", "m": "max-time", "M": "manual", "n": "netrc", "N": "no-buffer",
    "o": "output", "O": "remote-name", "p": "proxytunnel", "P": "ftp-port", "q": "disable", "Q": "quote", "r": "range",
    "R": "remote-time", "s": "silent", "S": "show-error", "t": "telnet-option", "T": "upload-file", "u": "user",
    "U": "proxy-user", "v": "verbose", "V": "version", "w": "write-out", "x": "proxy", "X": "request", "Y": "speed-limit",
    "y": "speed-time", "z": "time-cond", "Z": "parallel",
}  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Options with a value that say what is sent.
VALUES = _names(
    """aws-sigv4 connect-timeout cookie data data-ascii data-binary data-raw data-urlencode form form-string header json
    max-redirs max-time oauth2-bearer proto-default range referer request upload-file url url-query user user-agent"""
)
#: Options with a value that only say what becomes of the answer, or how the connection is made.
QUIET_VALUES = _names(
    """alt-svc ciphers cookie-jar create-file-mode curves dump-header egd-file etag-save expect100-timeout
    happy-eyeballs-timeout-ms hsts keepalive-cnt keepalive-time libcurl limit-rate max-filesize output output-dir parallel-max
    parallel-max-host proxy-ciphers proxy-tls13-ciphers random-file rate sigalgs speed-limit speed-time stderr tls-max
    tls13-ciphers trace trace-ascii trace-config write-out"""
)
#: Options with a value that the hub has no use for; each is told.
OTHER_VALUES = _names(
    """abstract-unix-socket cacert capath cert cert-type config connect-to continue-at crlfile delegation dns-interface
    dns-ipv4-addr dns-ipv6-addr dns-servers doh-url ech engine etag-compare expand-data expand-header expand-url expand-user
    ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode haproxy-clientip help hostpubmd5 hostpubsha256
    interface ip-tos ipfs-gateway key key-type krb local-port login-options mail-auth mail-from mail-rcpt netrc-file noproxy
    pass pinnedpubkey preproxy proto proto-redir proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-crlfile
    proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tlsauthtype
    proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote request-target resolve retry retry-delay retry-max-time
    sasl-authzid service-name socks4 socks4a socks5 socks5-gssapi-service socks5-hostname telnet-option tftp-blksize
    time-cond tlsauthtype tlspassword tlsuser unix-socket variable vlan-priority"""
)
#: Switches that say what is sent.
SWITCHES = _names(
    """anyauth basic digest get globoff head insecure location location-trusted negotiate next ntlm ntlm-wb
    path-as-is"""
)
#: Switches that only say what becomes of the answer, or how the connection is made.
QUIET_SWITCHES = _names(
    """append buffer clobber compressed compressed-ssh create-dirs disable fail fail-early fail-with-body false-start help
    http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include ipv4 ipv6 keepalive
    list-only manual mptcp no-alpn alpn no-npn npn parallel parallel-immediate progress-bar progress-meter raw remote-header-name
    remote-name remote-name-all remote-time remove-on-error retry-all-errors retry-connrefused sessionid show-error silent
    skip-existing ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3
    styled-output suppress-connect-headers tcp-fastopen tcp-nodelay tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 trace-ids trace-time
    tr-encoding use-ascii verbose version xattr junk-session-cookies disable-eprt disable-epsv"""
)
#: Switches that the hub has no use for; each is told.
OTHER_SWITCHES = _names(
    """cert-status crlf disallow-username-in-url doh-cert-status doh-insecure form-escape follow haproxy-protocol netrc
    netrc-optional post301 post302 post303 proxy-anyauth proxy-basic proxy-digest proxy-insecure proxy-negotiate proxy-ntlm
    proxytunnel"""
)
_WITH_VALUE = VALUES | QUIET_VALUES | OTHER_VALUES
_ALL = _WITH_VALUE | SWITCHES | QUIET_SWITCHES | OTHER_SWITCHES
_QUIET = QUIET_VALUES | QUIET_SWITCHES


@dataclass(slots=True)
class Operation:
    """What a command says up to ``--next``: options of one kind in their order, switches by name."""

    urls: list[str] = field(default_factory=list)
    #: (option, value) of every option with a value that counts.
    values: list[tuple[str, str]] = field(default_factory=list)
    switches: dict[str, bool] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def all(self, *names: str) -> list[tuple[str, str]]:
        """The options of these names, in order."""
        return [(name, value) for name, value in self.values if name in names]

    def last(self, name: str) -> str | None:
        """The value of the last such option: the one that counts in curl."""
        return next((value for known, value in reversed(self.values) if known == name), None)

    def on(self, name: str) -> bool:
        """Whether the switch is set, and not taken back by ``--no-``."""
        return self.switches.get(name, False)

    def note(self, code: str, **details: str | int) -> None:
        """Note something once."""
        note = Note(code=code, details=details)
        if note not in self.notes:
            self.notes.append(note)


def read_operations(words: list[str]) -> list[Operation]:
    """The operations of a command's words, the program's name not among them."""
    operations = [Operation()]
    rest = iter(words)
    for word in rest:
        operation = operations[-1]
        if not word.startswith("-") or word == "-":
            operation.urls.append(word)
        elif word == "--":
            operation.urls += list(rest)
        elif word.startswith("--"):
            _read_long(word[2:], rest, operation)
        else:
            _read_short(word[1:], rest, operation)
        if operation.switches.pop("next", False):
            operations.append(Operation())
    return [operation for operation in operations if operation.urls or operation.values]


def _read_long(text: str, rest: Iterator[str], operation: Operation) -> None:
    name, equals, value = text.partition("=")
    if equals and name in _ALL:  # curl itself refuses it
        operation.note("option-equals", option=f"--{name}")
    else:
        name = text
    positive = name in _ALL or not name.startswith("no-")
    name = _complete(name if positive else name[3:])
    if name not in _ALL:
        operation.note("option-unknown", option=f"--{name[:60]}")
    elif name in _WITH_VALUE:
        _take(name, value if equals else next(rest, None), operation)
    else:
        _switch(name, positive, operation)


def _complete(name: str) -> str:
    """curl takes the beginning of a name for the whole where only one begins so."""
    if name in _ALL or len(name) < 3:
        return name
    fitting = [known for known in _ALL if known.startswith(name)]
    return fitting[0] if len(fitting) == 1 else name


def _read_short(letters: str, rest: Iterator[str], operation: Operation) -> None:
    for index, letter in enumerate(letters):
        name = SHORT.get(letter)
        if name is None:
            operation.note("option-unknown", option=f"-{letter}")
        elif name in _WITH_VALUE:
            _take(name, letters[index + 1 :] or next(rest, None), operation)
            return
        else:
            _switch(name.removeprefix("no-") if name == "no-buffer" else name, name != "no-buffer", operation)


def _switch(name: str, positive: bool, operation: Operation) -> None:
    if name in OTHER_SWITCHES:
        operation.note("option-ignored", option=f"--{name}")
    elif name in SWITCHES:
        operation.switches[name] = positive


def _take(name: str, value: str | None, operation: Operation) -> None:
    if value is None:
        operation.note("option-without-value", option=f"--{name}")
    elif name == "url":
        operation.urls.append(value)
    elif name in OTHER_VALUES:
        operation.note("option-ignored", option=f"--{name}")
    elif name not in _QUIET:
        operation.values.append((name, value))
