"""A seed and a frozen start make the same requests give the same bytes."""

import pytest


def everything_said(world):
    """A whole flow: linking, replays, refreshes, errors, another application, time passing."""
    said = []

    def note(answer):
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        said.append((answer.status_code, headers, answer.content))
        return answer

    note(world.authorize(state="s1"))
    body = world.exchange()
    tokens = note(world.post(body)).json()
    note(world.post(body))
    renewed = note(world.post(world.renewal(tokens["refresh_token"]))).json()
    note(world.post(world.renewal(tokens["refresh_token"])))
    note(world.post(world.own()))
    world.sandbox.clock.advance(days=100)
    bearer = {"authorization": f"Bearer {renewed['access_token']}"}
    note(world.http.get("/users/me", headers=bearer))
    other = world.sandbox.register_application(redirect_uris=["https://other.example/"])
    said.append(other)
    note(world.post(world.exchange(test_token=True)))
    note(world.http.get("/nowhere"))
    said.append([entry.facts for entry in world.sandbox.journal.entries()])
    return said


@pytest.mark.parametrize("seed", ["tests", 7])
def test_the_same_seed_says_the_same_again(make_world, seed):
    assert everything_said(make_world(seed=seed)) == everything_said(make_world(seed=seed))


def test_a_socket_makes_no_difference(make_world):
    in_process = everything_said(make_world(seed="tests"))
    live = everything_said(make_world(seed="tests", live=True))

    assert live == in_process


def test_a_file_makes_no_difference_as_long_as_it_is_new(make_world, tmp_path):
    in_memory = everything_said(make_world(seed="tests"))
    in_file = everything_said(make_world(seed="tests", data=tmp_path / "sandbox.db"))

    assert in_file == in_memory


def test_another_seed_says_something_else(make_world):
    one, other = make_world(seed="one"), make_world(seed="other")

    assert one.app.client_secret != other.app.client_secret
    assert one.code() != other.code()


def test_without_a_seed_nothing_repeats(make_world):
    assert make_world().code() != make_world().code()
