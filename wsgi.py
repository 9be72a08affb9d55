"""The WSGI application for gunicorn: `gunicorn wsgi:app` reads gunicorn.conf.py beside this file."""

from hub import create_app

app = create_app()
