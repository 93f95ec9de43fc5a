"""Pages for people outside: plain HTML without any script, under policies that allow none."""

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping

from starlette.responses import HTMLResponse

from publisher.domain.entries.rights import Cleared
from publisher.service.entries.showing import Shown

STYLE = (
    "body{margin:0;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}"
    "main{max-width:70rem;margin:auto}"
    ".gallery{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));list-style:none;padding:0}"
    "figure{margin:0}img,video{width:100%;aspect-ratio:1;object-fit:cover;border-radius:.5rem;background:#eee}"
    "figcaption{font-size:.85rem;color:#555}blockquote{margin:1rem 0;padding:.75rem 1rem;background:#f4f4f4;border-radius:.5rem}"
    "button{font:inherit;padding:.6rem 1.2rem;margin-right:.75rem;border:1px solid #1a1a1a;border-radius:.5rem;background:#fff}"
    "button.yes{background:#1a1a1a;color:#fff}"
)


def _policy(**parts: str) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    base = {"default-src": "'none'", "style-src": f"'sha256-{digest}'", "base-uri": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in {**base, **parts}.items())


def _headers(policy: str) -> Mapping[str, str]:
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }


def _page(title: str, body: str, policy: str, status: int = 200) -> HTMLResponse:
    document = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    return HTMLResponse(document, status, _headers(policy))


def gallery_page(name: str, items: Iterable[Shown], frame_ancestors: str) -> HTMLResponse:
    """Return a gallery to be embedded: pictures and films from here alone."""
    shown = "".join(_figure(item, media) for item in items for media in item.media)
    body = f"<h1>{html.escape(name)}</h1>" + (f'<ul class="gallery">{shown}</ul>' if shown else "<p>Nothing to show yet.</p>")
    parts = {"img-src": "'self'", "media-src": "'self'", "form-action": "'none'", "frame-ancestors": frame_ancestors}
    return _page(name, body, _policy(**parts))


def _figure(item: Shown, media: Cleared) -> str:
    handle = html.escape(item.entry.capture.handle or "a participant")
    source = f"/media/{media.sha256}"
    picture = f'<img src="{source}" alt="By {handle}" loading="lazy">'
    if media.mime.startswith("video/"):
        picture = f'<video src="{source}" controls preload="metadata"></video>'
    return f"<li><figure>{picture}<figcaption>{handle}</figcaption></figure></li>"


def consent_page(name: str, terms: str, about: str) -> HTMLResponse:
    """Return the form that asks; it answers to its own address, whose token is all that it needs."""
    body = (
        f"<h1>{html.escape(name)}</h1><p>{html.escape(about)}</p><blockquote>{_lines(terms)}</blockquote>"
        '<form method="post"><button class="yes" name="answer" value="granted">I agree</button>'
        '<button name="answer" value="refused">I do not agree</button></form>'
    )
    return _page(name, body, _policy(**{"form-action": "'self'", "frame-ancestors": "'none'"}))


def said_page(title: str, words: str, status: int = 200) -> HTMLResponse:
    """Return a page that only says something."""
    body = f"<h1>{html.escape(title)}</h1><p>{html.escape(words)}</p>"
    return _page(title, body, _policy(**{"form-action": "'none'", "frame-ancestors": "'none'"}), status)


def _lines(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())
