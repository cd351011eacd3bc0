"""What the page to sign in looks like: without script, in light and dark."""

from __future__ import annotations

import base64
import functools
import hashlib
from html import escape
from http import HTTPStatus
from pathlib import Path

from starlette.responses import HTMLResponse

_ICON = Path(__file__).parents[1] / "icon.png"
_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f4f6f5; --card: #ffffff; --line: #d5dcd9; --text: #1c2624; --quiet: #5a6a66;
  --accent: #0f5c4f; --on-accent: #ffffff; --error: #a3261d; --error-page: #fdf0ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1117; --card: #171c24; --line: #38424e; --text: #eef2f1; --quiet: #a3b0ad;
    --accent: #4cc3a7; --on-accent: #06231d; --error: #ff9d94; --error-page: #351d1d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 1.5rem; display: grid; place-items: center;
  background: var(--page); color: var(--text);
  font: 1rem/1.5 "Source Sans", system-ui, -apple-system, "Segoe UI", sans-serif;
}
main {
  width: 100%; max-width: 25rem; padding: 2.25rem 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.75rem;
}
img { display: block; width: 3rem; height: 3rem; }
h1 { margin: 1rem 0 0.25rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
p { margin: 0; color: var(--quiet); overflow-wrap: anywhere; }
form { margin: 1.5rem 0; display: grid; gap: 0.375rem; }
label { font-weight: 600; }
input, button { width: 100%; height: 2.75rem; font: inherit; border-radius: 0.5rem; }
input {
  padding: 0 0.75rem; border: 1px solid var(--quiet); background: var(--page); color: inherit;
}
input[aria-invalid] { border-color: var(--error); }
button {
  margin-top: 0.625rem; border: 0; background: var(--accent); color: var(--on-accent);
  font-weight: 600; cursor: pointer;
}
button:hover { filter: brightness(1.08); }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] {
  margin-top: 0.375rem; padding: 0.625rem 0.75rem; border-radius: 0.5rem;
  background: var(--error-page); color: var(--error);
}
code {
  padding: 0.1em 0.35em; border-radius: 0.25rem; background: var(--page); color: var(--text);
  white-space: nowrap;
  font: 0.875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
small { font-size: 0.9375rem; }
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · ModelKB</title>
<link rel="icon" href="{icon}">
<style>{style}</style>
</head>
<body>
<main>
<img src="{icon}" alt="">
<h1>Sign in to ModelKB</h1>
<p>This store is shown to those who have a token.</p>
<form method="post">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" spellcheck="false"
 maxlength="200" required autofocus{invalid}>
{problem}<button>Sign in</button>
</form>
<p><small>Whoever runs this store can make one for you by <code>modelkb token create</code>.
</small></p>
</main>
</body>
</html>
"""
_POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "img-src data:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    # Without a referrer browsers would not say, either, that the form comes from this page.
    "Referrer-Policy": "same-origin",
}


def sign_in_page(problem: str = "", status: HTTPStatus = HTTPStatus.OK) -> HTMLResponse:
    """Return the page.

    Args:
        problem: What was wrong with the token that was given, if anything.
        status: The status of the answer.
    """
    told = f'<p id="problem" role="alert">{escape(problem)}</p>\n' if problem else ""
    page = _PAGE.format(
        icon=_icon(),
        style=_STYLE,
        invalid=' aria-invalid="true" aria-describedby="problem"' if problem else "",
        problem=told,
    )
    return HTMLResponse(page, status, _HEADERS)


@functools.cache
def _icon() -> str:
    return f"data:image/png;base64,{base64.b64encode(_ICON.read_bytes()).decode()}"
