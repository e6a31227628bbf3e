"""The demo's content: a small studio relaunches the web shop of a coffee roaster."""

from dataclasses import dataclass

from mission_control.boards.statuses import TaskStatus

ORGANIZATION = "Lighthouse Studio (demo)"
OWNER_EMAIL = "demo@example.com"
OWNER_NAME = "Mara Lindqvist"
COLLEAGUES = (("tomas@example.com", "Tomás Reyes", "admin"), ("ines@example.com", "Ines Haddad", "member"))


TAGS = {
    "shop": "d97706",
    "text": "64748b",
    "photo": "16a34a",
    "perf": "0d9488",
    "seo": "3b82f6",
    "mail": "9333ea",
    "refund": "dc2626",
}
GROUP = ("Lighthouse Coffee", "Everything we do for the roaster: the shop, and the people who buy there.")
RULES = "Prices carry VAT everywhere. Nothing goes live on a Friday. Who writes to customers signs with a name."
NOTES_OF_BOARDS = (
    "The launch is on the first Monday of December. Baseline: 4.1 s on a phone; we want less than 2 s.",
    "Refunds up to 50 EUR need no question. Above, ask Tomás.",
)


@dataclass(frozen=True)
class Card:
    """A seeded task. `worker`, `person` and `said` name people or agents of the story by first name."""

    title: str
    text: str
    stage: TaskStatus = "inbox"
    priority: str = "medium"
    worker: str | None = None
    waits_for: tuple[str, ...] = ()
    said: tuple[tuple[str, str], ...] = ()
    asks: str | None = None
    tags: tuple[str, ...] = ()
    due: int | None = None  # days from today
    person: str | None = None
    steps: tuple[str, ...] = ()
    page: str | None = None


@dataclass(frozen=True)
class BoardStory:
    """A board with its cards."""

    name: str
    slug: str
    text: str
    needs_approval: bool
    cards: tuple[Card, ...]


RELAUNCH = BoardStory(
    "Shop relaunch",
    "shop-relaunch",
    "The new web shop of Lighthouse Coffee: faster, readable on phones, live before the holidays.",
    True,
    (
        Card(
            "Measure the old shop", "Load times, conversion and the ten most visited pages, as a baseline.",
            "done", "high", "Juno", (),
            (
                ("Juno", "Baseline is in: median load 4.1 s on a phone, 61 % leave before the product page."),
                ("Mara", "Good. We judge the relaunch against these numbers."),
            ),
            "Close the baseline? All ten pages are measured.",
            tags=("perf",),
        ),
        Card(
            "Choose the type scale", "Two sizes for text, three for headings. Has to work at 320 px.",
            "done", "medium", "Kit", (),
            (("Kit", "Compared three scales on the product page. **1.2** keeps prices on one line at 320 px."),),
            "Take the 1.2 scale?",
            tags=("shop",),
        ),
        Card(
            "Rewrite the checkout texts", "Plain words, one idea per sentence, no exclamation marks.",
            "review", "medium", "Kit", (),
            (
                ("Kit", "All 34 texts are rewritten. The shipping note is the only one that grew."),
                ("Kit", "Please look at the error messages first; I am least sure about those."),
            ),
            tags=("shop", "text"), due=1, page="/checkout",
        ),
        Card(
            "Import the product catalogue", "212 products from the old database, with photos and roast dates.",
            "in_progress", "high", "Juno", ("Measure the old shop",),
            (("Juno", "Dry run: 209 of 212 come through. Three have no roast date; I list them below."),),
            tags=("shop",), due=0,
            steps=("x Dry run", "x Photos", "Roast dates of the three odd ones", "Compare prices"),
        ),
        Card(
            "Compress the product photos", "AVIF with a JPEG fallback; nothing above 120 kB.",
            "in_progress", "medium", "Kit", (), (("Kit", "Half of the photos are done, saving 71 % so far."),),
            "Delete the 4 GB of original uploads afterwards? They are in the archive twice.",
            tags=("photo", "perf"), due=3, steps=("x Archive", "Convert", "Check on a phone"),
        ),
        Card(
            "Set up redirects for old addresses", "Every address with more than 10 visits a month keeps working.",
            "inbox", "high", None, ("Import the product catalogue",),
            tags=("seo",), due=6,
        ),
        Card(
            "Describe the three subscription plans", "One paragraph each, and a table that compares them.",
            tags=("text",), due=4, person="Ines", page="/subscriptions",
        ),
        Card(
            "Check contrast in dark mode", "Every text at 4.5:1 or better.", "inbox", "low", None, (),
            (("Ines", "I noticed that prices are hard to read on the sale badge."),),
            tags=("shop",),
        ),
        Card(
            "Test checkout with a screen reader", "Order, address, payment, confirmation.", "inbox", "high",
            tags=("shop",), due=2, page="/checkout",
        ),
        Card(
            "Announce the relaunch to subscribers", "Mail to 3,400 readers; two subject lines to compare.",
            "inbox", "medium", None, ("Rewrite the checkout texts", "Describe the three subscription plans"),
            tags=("mail",), due=9,
        ),
    ),
)  # fmt: skip

SUPPORT = BoardStory(
    "Support desk",
    "support-desk",
    "Questions of customers that need more than a reply.",
    False,
    (
        Card(
            "Parcel 4711 arrived open", "Customer sent photos. Replace and ask the carrier.", "in_progress", "high",
            "Tomás", (), (("Tomás", "Replacement is on its way; the carrier wants the photos by Friday."),),
            tags=("mail",), due=1,
        ),
        Card(
            "Invoice without VAT number", "Three business customers asked in two weeks.", "inbox", "medium",
            tags=("text",), due=5,
        ),
        Card(
            "Write an answer about grinders", "Asked about twice a week: which grind for which brewer?", "review",
            tags=("text",),
        ),
        Card(
            "Refund for a double payment", "Order 20931, paid twice on the same day.", "done", "high", "Tomás",
            tags=("refund",),
        ),
        Card("Collect questions about decaf", "For the next newsletter.", "inbox", "low", tags=("mail",)),
    ),
)  # fmt: skip

BOARDS = (RELAUNCH, SUPPORT)

# Name, index of the board, whether it leads. The first three are the usual crew.
CREW = (
    ("Atlas", 0, True),
    ("Juno", 0, False),
    ("Kit", 0, False),
    ("Orla", 1, True),
    ("Pim", 1, False),
    ("Nell", 0, False),
    ("Bo", 1, False),
    ("Sol", 0, False),
)
MOST_AGENTS = len(CREW)
