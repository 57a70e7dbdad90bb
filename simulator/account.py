"""One athlete's account at Strava: their activities, what they granted, and what they do."""

from simulator.actions import Actions
from simulator.activity_log import ActivityLog
from simulator.autoplay import Autoplay
from simulator.clock import Clock
from simulator.faults import Dice
from simulator.oauth import Grants
from simulator.webhook_delivery import WebhookDelivery
from simulator.world.world import World


class Account:
    """What is the athlete's own; log, delivery, limits and faults are shared by all."""

    def __init__(
        self, world: World, saves: ActivityLog, webhook_delivery: WebhookDelivery, *, dice: Dice, clock: Clock
    ) -> None:
        self.world = world
        self.grants = Grants(world.journal, clock, dice, seed=world.origin.seed)
        self.actions = Actions(world, clock, saves, webhook_delivery, self.grants)
        self.autoplay = Autoplay(self.actions, world, saves, clock)
