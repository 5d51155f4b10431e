from lorekeeper_api.conditions import Condition, ConditionStatus, set_condition


def condition(type_: str, status: str, time: str, reason: str = "Because") -> Condition:
    return Condition(
        type=type_, status=ConditionStatus(status), last_transition_time=time, reason=reason, message=f"{reason}."
    )


def test_a_new_one_comes_last() -> None:
    first, second = condition("Ready", "True", "1"), condition("Stalled", "False", "2")
    assert set_condition([], first) == [first]
    assert set_condition([first], second) == [first, second]


def test_time_moves_with_the_status_only() -> None:
    before = [condition("Ready", "False", "1", "Building"), condition("Stalled", "False", "1")]
    same = set_condition(before, condition("Ready", "False", "2", "Waiting"))
    assert same == [condition("Ready", "False", "1", "Waiting"), before[1]]
    assert set_condition(same, condition("Ready", "True", "3", "Answering"))[0].last_transition_time == "3"


def test_nothing_given_is_changed() -> None:
    before = [condition("Ready", "False", "1")]
    new = condition("Ready", "False", "2")
    set_condition(before, new)
    assert before == [condition("Ready", "False", "1")]
    assert new.last_transition_time == "2"
