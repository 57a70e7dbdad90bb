"""How Strava's kinds of sport are called: `sport_type` as words, in the reader's language."""

from dashboard.chart_data import spaced
from dashboard.formatting import Teller
from dashboard.languages import N_

# The kinds that the transforms' seed knows.
TYPES = (
    N_("Alpine Ski"), N_("Backcountry Ski"), N_("Badminton"), N_("Basketball"), N_("Canoeing"), N_("Cricket"),
    N_("Crossfit"), N_("Dance"), N_("E Bike Ride"), N_("Elliptical"), N_("E Mountain Bike Ride"), N_("Golf"),
    N_("Gravel Ride"), N_("Handcycle"), N_("High Intensity Interval Training"), N_("Hike"), N_("Ice Skate"),
    N_("Inline Skate"), N_("Kayaking"), N_("Kitesurf"), N_("Mountain Bike Ride"), N_("Nordic Ski"), N_("Padel"),
    N_("Physical Therapy"), N_("Pickleball"), N_("Pilates"), N_("Racquetball"), N_("Ride"), N_("Rock Climbing"),
    N_("Roller Ski"), N_("Rowing"), N_("Run"), N_("Sail"), N_("Skateboard"), N_("Snowboard"), N_("Snowshoe"),
    N_("Soccer"), N_("Squash"), N_("Stair Stepper"), N_("Stand Up Paddling"), N_("Surfing"), N_("Swim"),
    N_("Table Tennis"), N_("Tennis"), N_("Trail Run"), N_("Velomobile"), N_("Virtual Ride"), N_("Virtual Row"),
    N_("Virtual Run"), N_("Volleyball"), N_("Walk"), N_("Weight Training"), N_("Wheelchair"), N_("Windsurf"),
    N_("Workout"), N_("Yoga"),
)  # fmt: skip


def title(sport_type: str, tell: Teller) -> str:
    """Return a kind of sport in the reader's language; one that is new to us keeps Strava's word."""
    words = spaced(sport_type)
    return tell(words) if words in TYPES else words
