"""The pages of signing in as HTML: no script, one style sheet, every value escaped."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from fleetflow.passwords import LONGEST, SHORTEST

if TYPE_CHECKING:
    from fleetflow.storage.sessions import Session

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title - FleetFlow</title>
<link rel="icon" href="/app/static/icon.svg">
<link rel="stylesheet" href="/app/static/signin.css">
$head</head>
<body>
<main>
<img class="logo" src="/app/static/logo.svg" alt="FleetFlow" width="129" height="28">
<h1>$title</h1>
$body
</main>
</body>
</html>
""")

LOGIN = Template("""\
<form method="post" action="/login">
<input type="hidden" name="next" value="$next">
<label for="name">Name or e-mail</label>
<input id="name" name="name" value="$name" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="100" required$name_focus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="$longest"
 required$password_focus>
<button>Sign in</button>
</form>
$sign_on<p class="note">An admin can give you another password when you have lost yours.</p>
""")

SIGN_ON = Template('<a class="button quiet" href="/login/sso?next=$next">$label</a>\n')

PASSWORD = Template("""\
<form method="post" action="/account">
<input type="hidden" name="username" value="$name" autocomplete="username">
<label for="old">Present password</label>
<input id="old" name="old" type="password" autocomplete="current-password" maxlength="$longest" required>
<label for="new">New password, $shortest characters or more</label>
<input id="new" name="new" type="password" autocomplete="new-password" minlength="$shortest"
 maxlength="$longest" required>
<label for="again">New password again</label>
<input id="again" name="again" type="password" autocomplete="new-password" maxlength="$longest" required>
<button>Change password</button>
</form>
""")

ACCOUNT = Template("""\
<p class="note">Signed in as <strong>$name</strong>, $roles.</p>
$password<form method="post" action="/logout"><button class="quiet">Sign out</button></form>
$way_back""")


ELSEWHERE = '<p class="note">You sign in by single sign-on; your password is kept there.</p>\n'


def login(*, next_address: str = "/", name: str = "", fault: str = "", sign_on: str = "") -> str:
    """The way in; `fault` says why the last try did not work, `sign_on` what the button of single sign-on says."""
    form = LOGIN.substitute(
        next=escape(next_address),
        sign_on=SIGN_ON.substitute(next=quote(next_address, safe=""), label=escape(sign_on)) if sign_on else "",
        name=escape(name),
        longest=LONGEST,
        name_focus="" if name else " autofocus",
        password_focus=" autofocus" if name else "",
    )
    return _page("Sign in", _alert(fault) + form)


def account(session: Session, *, fault: str = "", done: str = "") -> str:
    """One's own account: another password, and the way out."""
    told = "This password was given to you by somebody else. Choose your own." if session.must_change_password else ""
    password = PASSWORD.substitute(name=escape(session.name), shortest=SHORTEST, longest=LONGEST)
    form = ACCOUNT.substitute(
        name=escape(session.name),
        roles=" and ".join(sorted(role.replace("_", " ") for role in session.roles)),
        password=password if session.has_password else ELSEWHERE,
        way_back="" if session.must_change_password else '<p class="note"><a href="/">Back to the dashboard</a></p>',
    )
    return _page("Your account", _alert(fault or told) + _done(done) + form)


def unavailable(reason: str) -> str:
    """While the database is away; tries again by itself."""
    text = f'<p class="alert" role="alert">{escape(reason)} This page tries again every 5 seconds.</p>'
    return _page("One moment", text, head='<meta http-equiv="refresh" content="5">\n')


def refused(reason: str) -> str:
    """A request that is not answered, and the way back."""
    return _page("That did not work", f'{_alert(reason)}<p class="note"><a href="/">Back to FleetFlow</a></p>')


def _page(title: str, body: str, head: str = "") -> str:
    return PAGE.substitute(title=title, body=body, head=head)


def _alert(text: str) -> str:
    return f'<p class="alert" role="alert">{escape(text)}</p>\n' if text else ""


def _done(text: str) -> str:
    return f'<p class="done" role="status">{escape(text)}</p>\n' if text else ""
