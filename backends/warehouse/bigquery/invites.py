"""Which invitations to connect are used, in BigQuery."""

from datetime import datetime

from backends.warehouse.athletes import INVITE_KEPT, InviteUse
from backends.warehouse.bigquery.database import BigQueryDatabase
from backends.warehouse.bigquery.parameters import Parameter, int64s, scalar, timestamps


class Invites(BigQueryDatabase):
    """Implements `InviteUses`."""

    async def claim_invite(self, invite_id: str, expires_at: datetime) -> bool:
        """Use the invitation, or return False because it is used.

        Two programs may add a row at once, for BigQuery has no unique keys. A row that is there is changed by one
        program after the other, so the second statement decides.
        """
        now = self._clock()
        ends = timestamps(expires_at=expires_at, expired_before=now - INVITE_KEPT)
        await self._change("open_invite", _invite(invite_id), *ends)
        return await self._change("claim_invite", _invite(invite_id), *timestamps(claimed_at=now)) > 0

    async def release_invite(self, invite_id: str) -> None:
        """Let an invitation be used again, unless it connected somebody."""
        await self._change("release_invite", _invite(invite_id))

    async def settle_invite(self, invite_id: str, athlete_id: int) -> None:
        """Write down whom the claimed invitation connected."""
        await self._change("settle_invite", _invite(invite_id), *int64s(athlete_id=athlete_id))

    async def invite_use(self, invite_id: str) -> InviteUse | None:
        """Return the invitation's use, or None while it can be used."""
        found = await self._read("invite_use", _invite(invite_id))
        return InviteUse(athlete_id=found[0]["athlete_id"]) if found else None


def _invite(invite_id: str) -> Parameter:
    return scalar("invite_id", "string", invite_id)
