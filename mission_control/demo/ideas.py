"""What the simulated agents and the colleague think of and say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Idea:
    """A task that a lead makes when little is left to do."""

    title: str
    text: str
    priority: str
    tags: tuple[str, ...]


IDEAS = {
    "shop-relaunch": (
        Idea(
            "Show roast dates on product cards",
            "Fresh is what people buy; it belongs next to the price.",
            "medium",
            ("shop",),
        ),
        Idea("Shorten the sign-up form", "Five fields, two of which nobody reads.", "medium", ("shop",)),
        Idea("Fix the cart badge on small phones", "It covers the search icon below 360 px.", "high", ("shop",)),
        Idea(
            "Write alt texts for the farm photos", "Eighteen photos, one honest sentence each.", "low", ("photo", "seo")
        ),
        Idea(
            "Cache the catalogue pages", "They are the same for everybody and change once a day.", "medium", ("perf",)
        ),
        Idea(
            "Compare two payment providers",
            "Fees, payout time, and what happens when one is down.",
            "medium",
            ("shop",),
        ),
        Idea("Remove the unused tracking script", "Nobody has opened its reports since spring.", "high", ("perf",)),
        Idea("Draft the shipping page", "Costs, carriers and the island surcharge in one table.", "medium", ("text",)),
        Idea("Check the sitemap after the import", "All products, no duplicates, no old addresses.", "low", ("seo",)),
        Idea(
            "Collect questions for the photographer", "Session is on Tuesday; one list is enough.", "medium", ("photo",)
        ),
        Idea("Time the first page on a slow network", "Target is 2 s on a mid-range phone.", "high", ("perf",)),
        Idea("Prepare the gift card texts", "Three occasions, two lengths each.", "low", ("text", "mail")),
        Idea("Keep the filter when going back", "The list forgets what was chosen.", "high", ("shop",)),
        Idea("Describe the farms of Huehuetenango", "Two hundred words, one map, one photo.", "low", ("text", "photo")),
        Idea("Serve fonts from our own host", "Two weights, Latin only.", "medium", ("perf",)),
        Idea(
            "List the words that customers search for", "The fifty most used, with what they find.", "medium", ("seo",)
        ),
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
}

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
REWORK = (
    "Thank you, I see what is meant. Changing it now.",
    "Understood. I take it up again from there.",
)
NOTES = {
    "approved": ("Looks good.", "Agreed, thank you.", None, None),
    "changes_requested": ("Please add a short before and after.", "Almost. Make the numbers easier to compare."),
}
