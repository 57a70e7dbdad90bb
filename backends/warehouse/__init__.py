"""The warehouse's ports, by subject. `raw` is for who stores what Strava said, `mart` for who shows it."""

from typing import Protocol

from backends.warehouse.activities import ActivityStore, Retention, StoredPayloads
from backends.warehouse.athlete_files import AthleteFiles
from backends.warehouse.athletes import AthleteStore, IngestionStates, InviteUses, Purges
from backends.warehouse.backfills import Backfills
from backends.warehouse.event_basis import EventBases
from backends.warehouse.ledger import EventLedger, LedgerUpkeep
from backends.warehouse.own_files import OwnFiles
from backends.warehouse.profile import ProfileStore
from backends.warehouse.readings import PipelineReadings
from backends.warehouse.reconciliations import Reconciliations
from backends.warehouse.runs import TransformRuns
from backends.warehouse.streams import StreamStore
from backends.warehouse.subscriptions import SubscriptionStore


class WarehouseBusy(Exception):
    """The warehouse cannot take or give rows just now; the same call may pass later."""


class StatementRejected(Exception):
    """The warehouse does not take the statement or its rows: waiting does not mend it."""


class WriteProbe(Protocol):
    """Whether the store could take rows now."""

    async def probe(self) -> None:
        """Write something durable that changes nothing. Raises WarehouseBusy."""


class RawStore(
    ActivityStore,
    EventLedger,
    LedgerUpkeep,
    AthleteStore,
    EventBases,
    Purges,
    InviteUses,
    IngestionStates,
    Backfills,
    Reconciliations,
    PipelineReadings,
    Retention,
    StoredPayloads,
    StreamStore,
    ProfileStore,
    AthleteFiles,
    OwnFiles,
    SubscriptionStore,
    TransformRuns,
    WriteProbe,
    Protocol,
):
    """All of `raw`."""

    async def close(self) -> None:
        """Finish what is in flight and release the resources."""
