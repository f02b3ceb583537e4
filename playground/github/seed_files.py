"""Files of the sample repositories: a GitOps repository and two small services."""

from __future__ import annotations

BACKSTAGE = "backstage.io/v1alpha1"
DOMAIN = "Everything between a full cart and a paid order"


def domains() -> list[dict[str, object]]:
    """Return the domain and the systems that the sample services belong to."""
    systems = (
        ("ordering", "Takes and keeps orders", "team-orders"),
        ("checkout", "Where customers pay", "team-checkout"),
    )
    return [_owned("Domain", "commerce", DOMAIN, {"owner": "group:default/platform"})] + [
        _owned("System", name, description, {"owner": f"group:default/{owner}", "domain": "commerce"})
        for name, description, owner in systems
    ]


def _owned(kind: str, name: str, description: str, spec: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": BACKSTAGE,
        "kind": kind,
        "metadata": {"name": name, "description": description},
        "spec": spec,
    }


def gitops(org: str) -> dict[str, str]:
    readme = f"""# GitOps

What runs where. Argo CD applies every folder below `apps/`; `apps/<service>/<environment>/` holds the objects of one
service in one environment. Changes come from Causeway or from a pull request of the team that owns the service.

Owner: @{org}/platform
"""
    return {
        "README.md": readme,
        "apps/README.md": "Each service gets a folder here when it is first deployed.\n",
        "argocd/README.md": ARGOCD,
        "CODEOWNERS": f"* @{org}/platform\n",
    }


ARGOCD = """# What Argo CD itself applies

The root application watches this folder: `applications/<service>-<environment>.yaml` says what is delivered where, and
`projects/<team>.yaml` what a team's applications may reach. Causeway writes both.
"""


def service(name: str, team: str, org: str) -> tuple[str, dict[str, str]]:
    """Return the description and the files of one of the sample services."""
    if name == "orders-api":
        description, system, kind = "Takes and keeps orders", "ordering", "service"
        source = {"app.py": ORDERS, "test_app.py": ORDERS_TEST, "Dockerfile": PYTHON_IMAGE}
    else:
        description, system, kind = "Where customers pay", "checkout", "website"
        source = {"server.js": CHECKOUT, "package.json": CHECKOUT_PACKAGE, "Dockerfile": NODE_IMAGE}
    common = {
        "README.md": f"# {name}\n\n{description}. Owned by {team}.\n",
        "CODEOWNERS": f"* @{org}/{team}\n",
        "catalog-info.yaml": _catalog_info(name, description, team=team, org=org, system=system, kind=kind)
        + DEPENDS_ON.get(name, ""),
        "platform.yaml": PLATFORM.format(name=name, org=org),
        ".github/workflows/ci.yml": WORKFLOW,
    }
    return description, {**common, **source}


def _catalog_info(name: str, description: str, *, team: str, org: str, system: str, kind: str) -> str:
    return f"""apiVersion: {BACKSTAGE}
kind: Component
metadata:
  name: {name}
  description: {description}
  annotations:
    github.com/project-slug: {org}/{name}
  tags: [sample]
  links:
    - url: https://runbooks.acme.example/{name}
      title: Runbook
spec:
  type: {kind}
  lifecycle: production
  owner: group:default/{team}
  system: {system}
"""


DEPENDS_ON = {"checkout-web": "  dependsOn:\n    - component:default/orders-api\n"}
"""Last lines of the description of a service that calls another one."""

PLATFORM = """apiVersion: platform.company.io/v1
kind: WebService
metadata:
  name: {name}
spec:
  image: ghcr.io/{org}/{name}:main
  replicas: 2
  ingress:
    host: {name}.acme.example
"""

WORKFLOW = """name: CI
on: [push]
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "The playground completes this workflow by itself."
"""

ORDERS = '''"""Orders: a list in memory behind two paths."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDERS = [{"id": 1, "item": "umbrella", "state": "paid"}]


def answer(path: str) -> tuple[int, object]:
    if path == "/healthz":
        return 200, {"status": "ok"}
    if path == "/orders":
        return 200, ORDERS
    return 404, {"error": "not found"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()
'''

ORDERS_TEST = """from app import answer


def test_it_says_that_it_is_healthy() -> None:
    assert answer("/healthz") == (200, {"status": "ok"})
"""

PYTHON_IMAGE = """FROM python:3.12-slim
WORKDIR /app
COPY app.py .
USER 10001
CMD ["python", "app.py"]
"""

CHECKOUT = """import { createServer } from "node:http";

export function answer(path) {
  if (path === "/healthz") return [200, { status: "ok" }];
  if (path === "/") return [200, { page: "checkout" }];
  return [404, { error: "not found" }];
}

createServer((request, response) => {
  const [status, body] = answer(request.url);
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}).listen(8080);
"""

CHECKOUT_PACKAGE = """{
  "name": "checkout-web",
  "version": "1.0.0",
  "private": true,
  "type": "module",
  "scripts": { "start": "node server.js" }
}
"""

NODE_IMAGE = """FROM node:22-slim
WORKDIR /app
COPY package.json server.js ./
USER node
CMD ["node", "server.js"]
"""
