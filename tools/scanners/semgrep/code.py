# ruff: noqa
# fmt: off
import os
import subprocess
from pathlib import Path

import jinja2
import yaml
from flask import redirect, render_template, render_template_string, request, send_file, url_for
from markupsafe import Markup

from hub.htmx import own_path

# ruleid: unsafe-deserialisation
import pickle


def run(text, name, app):
    # ruleid: text-run-as-code
    eval(text)
    # ruleid: text-run-as-code
    exec(text)
    # ruleid: unsafe-deserialisation
    yaml.load(text)
    # ok: unsafe-deserialisation
    yaml.load(text, Loader=yaml.SafeLoader)
    # ok: unsafe-deserialisation
    yaml.safe_load(text)
    # ruleid: shell-command
    subprocess.run(text, shell=True)
    # ruleid: shell-command
    os.system(text)
    # ok: shell-command
    subprocess.run(["n8n", text])
    # ruleid: template-from-text
    render_template_string(text)
    # ruleid: template-from-text
    jinja2.Template(text)
    # ok: template-from-text
    render_template("page.html", text=text)
    # ruleid: markup-of-a-value
    Markup(text)
    # ruleid: markup-of-a-value
    Markup(f"<b>{text}</b>")
    # ok: markup-of-a-value
    Markup("<b>{}</b>").format(text)
    # ruleid: parameters-mixed-up
    request.values["name"]
    # ok: parameters-mixed-up
    request.form["name"]
    # ruleid: debug-mode
    app.run(debug=True)


def show():
    name = request.args["file"]
    # ruleid: file-named-by-a-request
    open("/data/" + name)
    # ruleid: file-named-by-a-request
    send_file(name)
    # ok: file-named-by-a-request
    open("/data/own.json")
    # ruleid: redirect-to-a-request
    redirect(request.args.get("next"))
    # ok: redirect-to-a-request
    redirect(own_path(request.args.get("next")))
    # ok: redirect-to-a-request
    return redirect(url_for("accounts.login", next=request.path))
