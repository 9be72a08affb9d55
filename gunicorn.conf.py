"""How gunicorn serves the hub. Address, workers and threads are settings of the hub (`hub check-env` lists them).

No migration and no scheduler runs here: `hub db upgrade` and `hub worker` are processes of their own.
"""

from hub.config import load_config

_config = load_config()

wsgi_app = "wsgi:app"
bind = f"{_config.host}:{_config.port}"
worker_class = "gthread"
workers = _config.web_workers
threads = _config.web_threads
# The code is loaded once and shared by the workers; no connection is opened before a worker's first request.
preload_app = True
timeout = 60
graceful_timeout = 20
max_requests = 20_000
max_requests_jitter = 2_000
# Forwarded headers are read in one place, hub.app, and only from as many proxies as HUB_TRUSTED_PROXIES says.
forwarded_allow_ips = ""
forwarder_headers = ""
# The control socket has no password of its own; signals are enough.
control_socket_disable = True
loglevel = _config.log_level.lower()
