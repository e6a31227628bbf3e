"""Questions of agents in the queue: reading, answering, being too late."""

from uuid import uuid4

from mission_control.questions.models import Question
from tests.cast import Cast
from tests.visitor import visitor

WITH_OPTIONS = {"content": "Which lens?", "options": [{"label": "Wide"}, {"label": "Long"}]}


async def ask(cast: Cast, content: str = "Which lens?\n\nThe **wide** one or the <long> one?") -> str:
    """A question of Atlas; its id."""
    asked = await cast.atlas.post(f"/agent{cast.home}/gateway/main/ask-user", {"content": content})
    return str(asked.ok()["question_id"])


def where(cast: Cast, asked: str) -> str:
    return f"/boards/{cast.board.id}/questions/{asked}"


async def test_questions_are_queued_with_approvals_oldest_first(cast: Cast) -> None:
    await cast.ask(action_type="first")
    asked = await ask(cast)
    await cast.ask(action_type="third")
    cleo = await visitor(cast.app, cast.cleo)
    for path in ("/approvals", f"/boards/{cast.board.id}/approvals"):
        seen = (await cleo.get(path)).has(
            "3 waiting", "(3) ", "Atlas", "Which lens?", "<strong>wide</strong>", "&lt;long"
        )
        text = seen.has(f'id="answer-{asked}"', 'data-key="a"').text
        assert text.index(">First<") < text.index(f"question-{asked}") < text.index(">Third<")
    (await cleo.get(f"/agents/{cast.atlas.id}")).is_status(403)
    (await (await visitor(cast.app, cast.ada)).get(f"/agents/{cast.atlas.id}")).has("1 request")


async def test_deadline_is_set_and_removed_on_the_page(cast: Cast) -> None:
    asked = (await cast.atlas.post(f"/agent{cast.home}/questions", WITH_OPTIONS)).ok()
    page = where(cast, asked["id"])
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    (await cleo.get(page)).has("If nobody answers", "remind everybody", "take “Wide”", ">Cleo<")
    (await dan.get(page)).lacks("If nobody answers")
    assert (await cleo.post(f"{page}/deadline", {"hours": "4", "otherwise": "option:1"})).leads_to == page
    (await cleo.get(page)).has("“Wide” is taken.", "Remove the deadline").lacks("Set the deadline")
    for odd in ({"hours": "5"}, {"hours": "4", "otherwise": "ask"}, {"hours": "4", "otherwise": "option:9"}):
        (await cleo.post(f"{page}/deadline", odd)).is_status(422)
    question = await Question.get(id=asked["id"])
    assert (question.otherwise, question.otherwise_option_id) == ("option", "1")
    await cleo.post(f"{page}/deadline/removal", {})
    assert (await Question.get(id=asked["id"])).decide_by is None


async def test_questions_are_limited_to_readable_boards(cast: Cast) -> None:
    asked = await ask(cast)
    dan, eve = await visitor(cast.app, cast.dan), await visitor(cast.app, cast.eve)
    (await dan.get("/approvals")).has("1 waiting", "Which lens?").lacks("<textarea")
    (await dan.get(where(cast, asked))).is_status(200).lacks("<textarea")
    (await eve.get("/approvals")).has("Nothing needs you").lacks("Which lens?")
    (await eve.get(where(cast, asked))).is_status(404)
    (await dan.get(where(cast, str(uuid4())))).is_status(404)


async def test_answer_with_and_without_javascript(cast: Cast) -> None:
    first, second = await ask(cast), await ask(cast, "When?")
    cleo = await visitor(cast.app, cast.cleo)
    form = {"answer": "The wide one.", "next": "/approvals"}
    answer = (await cleo.with_htmx.post(where(cast, first) + "/answers", form)).is_status(204)
    assert "Atlas has your answer." in answer.headers["HX-Trigger"]
    plain = (await cleo.post(where(cast, second) + "/answers", form)).is_status(303)
    assert plain.leads_to == "/approvals#queue"
    (await cleo.get("/approvals")).has("Nothing needs you").lacks("Which lens?")
    (await cleo.get(where(cast, first))).has("Cleo answered", "The wide one.", "What was asked")
    assert {one.state for one in await Question.all()} == {"answered"}


async def test_empty_answer_is_refused(cast: Cast) -> None:
    asked = await ask(cast)
    cleo = await visitor(cast.app, cast.cleo)
    refused = (await cleo.with_htmx.post(where(cast, asked) + "/answers", {"answer": " "})).is_status(422)
    refused.has('aria-invalid="true"', "Fill this in.", f'id="question-{asked}"').lacks("<!doctype")
    (await cleo.post(where(cast, asked) + "/answers", {})).is_status(422).has("<!doctype html>", "Fill this in.")


async def test_second_answer_is_refused_and_kept_in_the_form(cast: Cast) -> None:
    asked = await ask(cast)
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    to = where(cast, asked) + "/answers"
    (await ada.with_htmx.post(to, {"answer": "The wide one."})).is_status(204)
    late = (await cleo.with_htmx.post(to, {"answer": "The <long> one."})).is_status(409)
    late.has("Somebody answered this question already.", "You wrote: <q>The &lt;long&gt; one.</q>", "Ada answered")
    late.has('data-state="decided"').lacks("<!doctype", "<textarea")
    (await cleo.post(to, {"answer": "x"})).is_status(409).has("<!doctype html>", "answered this question already")


async def test_stream_adds_new_questions_and_keeps_answered_ones(cast: Cast) -> None:
    cleo = await visitor(cast.app, cast.cleo)
    async with cleo.watching("/approvals/live?opened=2020-01-01T00:00:00Z") as watch:
        asked = await ask(cast)
        text = await watch.until("A new question waits for you.")  # Atlas, who asks, is news of its own
        assert 'hx-target="#queue"' in text and f"question-{asked}" in text and "1 waiting" in text
        watch.text = ""
        await cleo.post(where(cast, asked) + "/answers", {"answer": "The wide one."})
        text = await watch.until('data-state="decided"')
        assert "Nothing waits" in text and "The wide one." in text


async def test_withdrawn_question_disappears(cast: Cast) -> None:
    asked = await ask(cast)
    cleo = await visitor(cast.app, cast.cleo)
    async with cleo.watching("/approvals/live?opened=2020-01-01T00:00:00Z") as watch:
        (await cast.atlas.delete(f"/agent{cast.home}/questions/{asked}")).ok()
        text = await watch.until('hx-target="[data-queue-count]"')
        assert f"question-{asked}" not in text and "Nothing needs you" in text
    (await cleo.get(where(cast, asked))).has("Withdrawn", "Atlas no longer needs an answer.").lacks("<textarea")


async def test_feed_shows_questions(cast: Cast) -> None:
    asked = await ask(cast, "When?")
    ada = await visitor(cast.app, cast.ada)
    await ada.post(where(cast, asked) + "/answers", {"answer": "Now."})
    nudge = {"message": "Are you there?"}
    (await cast.atlas.post(f"/agent{cast.home}/agents/{cast.vega.id}/nudge", nudge)).ok()
    (await ada.get("/activity")).has("asked people:", "When?", where(cast, asked), "nudged", f"/agents/{cast.vega.id}")


async def test_options_are_buttons_with_keys(cast: Cast) -> None:
    options = [{"label": "The <wide> one", "outcome": "I mount it tonight.", "recommended": True}, {"label": "Long"}]
    new = {"content": "Which lens?", "options": options}
    asked = (await cast.vega.post(f"/agent{cast.home}/questions", new)).ok()["id"]
    cleo, dan = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.dan)
    seen = (await cleo.get("/approvals")).has("The &lt;wide&gt; one", "I mount it tonight.", "Recommended")
    seen.has('name="option" value="1"', 'data-key="1"', 'data-key="2"', f'id="answer-{asked}"')
    (await dan.get("/approvals")).has("The &lt;wide&gt; one", "Recommended").lacks('name="option"')
    to = where(cast, asked) + "/answers"
    (await cleo.with_htmx.post(to, {"answer": " "})).is_status(422).has("Fill this in.")
    (await cleo.with_htmx.post(to, {"option": "9"})).is_status(422).has("no such option")
    (await cleo.with_htmx.post(to, {"option": "1", "answer": ""})).is_status(204)
    (await cleo.get(where(cast, asked))).has(
        "Cleo answered", "The &lt;wide&gt; one", "What was asked", "I mount it tonight."
    )
