"""The demo's content: what a small studio works on, and what its agents and people think of and say."""

from dataclasses import dataclass

from mission_control.boards.statuses import TaskStatus

ORGANIZATION = "Lighthouse Studio (demo)"
COLLEAGUES = (("tomas@example.com", "Tomás Reyes", "admin"), ("ines@example.com", "Ines Haddad", "member"))

TAGS = {
    "shop": "d97706", "text": "64748b", "photo": "16a34a", "perf": "0d9488", "seo": "3b82f6", "mail": "9333ea",
    "refund": "dc2626",
}  # fmt: skip
GROUP = ("Lighthouse Coffee", "Everything we do for the roaster: the shop, and the people who buy there.")
RULES = "Prices carry VAT everywhere. Nothing goes live on a Friday. Who writes to customers signs with a name."
NOTES_OF_BOARDS = (
    "The launch is on the first Monday of December. Baseline: 4.1 s on a phone; we want less than 2 s.",
    "Refunds up to 50 EUR need no question. Above, ask Tomás.",
)


# Who found what, and why it should be done.
PROPOSALS = (
    (
        "Kit",
        "Delete the photos that no page shows",
        "A third of the archive is shown nowhere, and all of it is uploaded.",
    ),
    ("Juno", "Ask the roaster for the three roast dates", "The import leaves these products out until they have one."),
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
    not_before: int | None = None  # hours from now
    tags: tuple[str, ...] = ()
    due: int | None = None  # days from today
    person: str | None = None
    steps: tuple[str, ...] = ()
    page: str | None = None
    part_of: str | None = None  # the title of an earlier one


@dataclass(frozen=True)
class BoardStory:
    name: str
    slug: str
    text: str
    needs_approval: bool
    done_needs: tuple[str, ...]
    cards: tuple[Card, ...]


RELAUNCH = BoardStory(
    "Shop relaunch",
    "shop-relaunch",
    "The new web shop of Lighthouse Coffee: faster, readable on phones, live before the holidays.",
    True,
    ("result",),
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
            part_of="Import the product catalogue",
        ),
        Card(
            "Set up redirects for old addresses", "Every address with more than 10 visits a month keeps working.",
            "inbox", "high", None, ("Import the product catalogue",),
            tags=("seo",), due=6,
        ),
        Card(
            "Describe the three subscription plans", "One paragraph each, and a table that compares them.",
            tags=("text",), due=4, person="Ines", page="/subscriptions", part_of="Import the product catalogue",
        ),
        Card(
            "Check contrast in dark mode", "Every text at 4.5:1 or better.", "inbox", "low", None, (),
            (("Ines", "I noticed that prices are hard to read on the sale badge."),),
            tags=("shop",),
        ),
        Card(
            "Rebuild the search index", "It slows the shop down for 20 minutes, so not before the evening.",
            "inbox", "high", tags=("shop", "perf"), due=2, not_before=9,
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
    (),
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


@dataclass(frozen=True)
class Idea:
    title: str
    text: str
    priority: str
    tags: tuple[str, ...]


IDEAS = {
    "shop-relaunch": (
        Idea("Show roast dates on product cards",
              "Fresh is what people buy; it belongs next to the price.", "medium", ("shop",)),
        Idea("Shorten the sign-up form", "Five fields, two of which nobody reads.", "medium", ("shop",)),
        Idea("Fix the cart badge on small phones", "It covers the search icon below 360 px.", "high", ("shop",)),
        Idea("Write alt texts for the farm photos",
              "Eighteen photos, one honest sentence each.", "low", ("photo", "seo")),
        Idea("Cache the catalogue pages",
              "They are the same for everybody and change once a day.", "medium", ("perf",)),
        Idea("Compare two payment providers",
              "Fees, payout time, and what happens when one is down.", "medium", ("shop",)),
        Idea("Remove the unused tracking script", "Nobody has opened its reports since spring.", "high", ("perf",)),
        Idea("Draft the shipping page", "Costs, carriers and the island surcharge in one table.", "medium", ("text",)),
        Idea("Check the sitemap after the import", "All products, no duplicates, no old addresses.", "low", ("seo",)),
        Idea("Collect questions for the photographer",
              "Session is on Tuesday; one list is enough.", "medium", ("photo",)),
        Idea("Time the first page on a slow network", "Target is 2 s on a mid-range phone.", "high", ("perf",)),
        Idea("Prepare the gift card texts", "Three occasions, two lengths each.", "low", ("text", "mail")),
        Idea("Keep the filter when going back", "The list forgets what was chosen.", "high", ("shop",)),
        Idea("Describe the farms of Huehuetenango", "Two hundred words, one map, one photo.", "low", ("text", "photo")),
        Idea("Serve fonts from our own host", "Two weights, Latin only.", "medium", ("perf",)),
        Idea("List the words that customers search for",
              "The fifty most used, with what they find.", "medium", ("seo",)),
        Idea("Warn before a cart is emptied", "It happens by a slip on phones.", "medium", ("shop",)),
        Idea("Write the mail for a late order", "Honest, short, with a new date.", "medium", ("mail", "text")),
    ),
    "support-desk": (
        Idea("Answer the question about oat milk", "A customer asks for a roast that goes with it.", "low", ("mail",)),
        Idea("Late parcels of last week", "Eleven orders left two days late; each deserves a line.", "high", ("mail",)),
        Idea("Update the answer about opening hours", "Winter hours begin next week.", "medium", ("text",)),
        Idea("Look into the missing order mails", "Two customers got no confirmation yesterday.", "high", ("mail",)),
        Idea("Sum up complaints of the month", "What repeats, what was solved, what was not.", "medium", ("text",)),
        Idea("Check refunds that wait for a bank", "Four are older than ten days.", "high", ("refund",)),
        Idea("Sort the questions about subscriptions", "By what was not found on the page.", "medium", ("text",)),
        Idea("Find the parcel to Malmö", "The carrier has seen it twice and lost it once.", "medium", ("mail",)),
    ),
}  # fmt: skip

STARTS = (
    "Taking this one. Plan: look at what is there, do the smallest thing that works, then check it.",
    "I have this. First result in a few minutes.",
    "Starting. I read the earlier comments and found nothing that stands against it.",
    "On it. I write down what I find as I go.",
)
PROGRESS = (
    "Halfway there. The first part was simpler than it looked.",
    "Found two cases nobody wrote down; covering both:\n\n- empty input\n- very long names",
    "First version works. Checking the edges now.",
    "Compared it with the baseline: **better in 9 of 10 cases**, equal in one.",
    "One detail took longer: the old data has two spellings for the same thing. Both work now.",
    "Numbers so far: `31` checked, `2` odd ones set aside for later.",
    "Tried the obvious way and it was too slow; the second way is three times faster.",
)
FINISHED = (
    "Done from my side. What changed:\n\n1. the thing itself\n2. a check that keeps it so\n3. two lines of notes",
    "Finished and checked twice. Nothing else was touched.",
    "Complete. I left one question open at the end, it does not block anything.",
)
BLOCKED = (
    "I am stuck: I need read access to the old statistics. @{lead}, who can give it? I am putting this back for now.",
    "Blocked: the test shop answers with an error since this morning. @{lead} please look, I take other work.",
    "I cannot go on without the final price list. @{lead}, I put it back until it is here.",
)
REASONS = (
    "The work is complete and checked; moving it to done is visible to everybody.",
    "Result matches the description, I compared each point. Nothing risky remains.",
    "All checks pass. One small deviation is described in my last comment.",
    "This changes what customers see, so I would like a person to agree.",
)
REVIEWED = (
    "Read it all. Clear and complete, I ask for the final word.",
    "Checked against the description, point by point. Fine for me.",
)
SENT_BACK = (
    "Close. Please check the small screens once more, then send it again.",
    "The second point of the description is missing. The rest is good.",
)
REWORK = ("Thank you, I see what is meant. Changing it now.", "Understood. I take it up again from there.")
NOTES = {
    "approved": ("Looks good.", "Agreed, thank you.", None, None),
    "changes_requested": ("Please add a short before and after.", "Almost. Make the numbers easier to compare."),
}
RESUMED = ("Thank you for the answer. Going on from where I stopped.", "That was all I needed. I go on.")
PLAN = ("Look at what is there", "Do the smallest thing that works", "Check it on a phone")
ACTS_OF_SUPPORT = (
    ("read", "notes/refunds.md"),
    ("search", "order 20931"),
    ("webfetch", "the tracking page of the carrier"),
    ("edit", "drafts/answer.md"),
)
ACTS = (
    ("read", "notes/launch.md"),
    ("read", "catalogue/products.csv"),
    ("search", "roast date"),
    ("webfetch", "the page as customers see it"),
    ("edit", "texts/checkout.md"),
    ("edit", "pages/product.html"),
    ("bash", "npm test"),
    ("bash", "npm run build"),
    ("bash", "lighthouse --mobile"),
)
QUESTIONS = (
    ("Which photo stands first on the page?", "The open bag on the table", "The farm in the morning"),
    ("May I leave out the two products without a roast date?", "Yes, for now", "No, ask the roaster"),
    ("In which tone should the mail be?", "Short and plain", "A little warmer", "As last year"),
)
ANSWERS = ("Do what is simplest, and say what you chose.", "Ask Mara on Monday; until then go on without.")
FOUND = (
    ("Correct the price of the filter set", "It is 2 EUR lower in the mail than in the shop."),
    ("Redirect the old page of the tasting", "It still gets 40 visits a week and answers 404."),
    ("Shorten the names of three products", "They break into three lines on a phone."),
)
CHECKED = (
    "Read at 320 and 1440 pixels, in light and dark. Links followed once.",
    "Compared with the description, point by point.",
    "Tried it as a customer: order, address, payment.",
)
