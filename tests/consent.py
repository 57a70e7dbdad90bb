"""An athlete's browser: the way from an invitation over Strava's own page and back."""

import re

import httpx

from athlete.demo.simulator_client import SCOPES


async def way_back(client: httpx.AsyncClient, link: str) -> str:
    """Open the link, tick everything on Strava's page, and return where it leads back to.

    The client keeps cookies and follows redirects, as a browser does.
    """
    page = await client.get(link)
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    address = str(page.url.copy_with(query=None))
    data = form | {"decision": "allow", "scope": SCOPES.split(",")}
    answer = await client.post(address, data=data, follow_redirects=False)
    return str(answer.headers["location"])
