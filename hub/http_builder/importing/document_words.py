"""The words for refusals and notes of document importers and of re-import."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

REFUSALS: dict[str, Any] = {
    # JSON and YAML
    "not-json": lazy_gettext("This is no JSON: line %(line)s, column %(column)s: %(reason)s."),
    "not-yaml": lazy_gettext("This is no YAML: line %(line)s, column %(column)s: %(reason)s."),
    "several-documents": lazy_gettext("There are several YAML documents in the file. Import them one by one."),
    "alias": lazy_gettext("The YAML alias *%(name)s names nothing, or the value that it stands in."),
    "too-many-values": lazy_gettext("The document has more than %(limit)s values once its aliases are written out."),
    "too-many-requests": lazy_gettext("The document has more than %(limit)s requests. Import a part of it."),
    "too-much": lazy_gettext("The requests of this document are more than %(limit)s characters together. Import a part of it."),
    "too-slow": lazy_gettext("The document takes longer than %(limit)s seconds to read. Import a part of it."),
    # Formats
    "not-openapi": lazy_gettext("This is no OpenAPI 3.0 or 3.1 document and no Swagger 2.0 one."),
    "not-postman": lazy_gettext("This is no Postman collection and no Postman environment."),
    "postman-1": lazy_gettext("This is a Postman collection of version 1. Export it from Postman as version 2.1."),
    "not-har": lazy_gettext("This is no HAR recording: there are no entries in it."),
    "not-insomnia": lazy_gettext("This is an Insomnia export of version %(version)s. Versions 4 and 5 can be imported."),
    "not-bruno": lazy_gettext("This is no Bruno file: it does not begin with a “meta” block."),
    "bru-open": lazy_gettext("The block “%(block)s” that begins in line %(line)s is never closed."),
    # Files and addresses
    "not-text": lazy_gettext("The file is no text in UTF-8."),
    "bad-archive": lazy_gettext("The ZIP archive is damaged or encrypted."),
    "unknown-archive": lazy_gettext("There is no Bruno collection in this ZIP archive."),
    "too-many-files": lazy_gettext("The archive has more than %(limit)s files."),
    "archive-too-large": lazy_gettext("The archive is larger than %(limit)s bytes once it is unpacked."),
    "answer": lazy_gettext("The address answered with status %(status)s instead of a document."),
    "redirects": lazy_gettext("The address leads on more than %(limit)s times."),
}

NOTES: dict[str, Any] = {
    # Documents as a whole
    "several-servers": lazy_gettext("The document names several servers; the first is used: %(servers)s."),
    "no-server": lazy_gettext("The document does not say where its server is: set the variable BASE_URL."),
    "remote-reference": lazy_gettext("%(count)s references lead out of the document and were not followed, such as %(first)s."),
    "unknown-method": lazy_gettext("%(method)s %(path)s was left out: the hub does not send this method."),
    "bad-url": lazy_gettext("A request was left out, its URL cannot be read: %(url)s"),
    "assets": lazy_gettext("%(count)s images, scripts and other parts of pages were left out."),
    "other-protocol": lazy_gettext("“%(name)s” was left out: it is no HTTP request."),
    "collection-scripts": lazy_gettext("The collection has scripts. They are not run here."),
    "folder-scripts": lazy_gettext("The folder “%(name)s” has scripts. They are not run here."),
    # One request
    "deprecated": lazy_gettext("The document calls this operation deprecated."),
    "long-example": lazy_gettext("The example of the body is longer than %(limit)s characters and was left out."),
    "unknown-security": lazy_gettext("Signing in by “%(name)s” (%(type)s) cannot be expressed here. Set it up by hand."),
    "second-security": lazy_gettext("The operation also asks for “%(name)s”. A request has one kind of authentication."),
    "unknown-auth": lazy_gettext("The authentication %(type)s is not known here. Set it up by hand."),
    "scripts": lazy_gettext("The request has scripts. They are not run here."),
    "template-tag": lazy_gettext("%(tag)s is a function of Insomnia and means nothing here."),
    "assertion": lazy_gettext("The check %(expression)s (%(operator)s) was left out: it cannot be expressed here."),
    "extraction": lazy_gettext("The variable %(name)s is not taken from %(expression)s: that cannot be expressed here."),
    # Exports
    "many-methods": lazy_gettext(
        "%(count)s requests share a method and path with another one and were left out, such as %(name)s."
    ),
    "auth-left-out": lazy_gettext("The authentication of “%(name)s” (%(type)s) cannot be expressed in this format."),
    "not-expressed": lazy_gettext("“%(name)s”: %(what)s cannot be expressed in this format."),
}
