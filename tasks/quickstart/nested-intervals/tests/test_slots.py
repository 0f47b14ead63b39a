from spans import free_slots


def test_room_between_bookings():
    assert free_slots((9, 17), [(10, 11), (13, 14)]) == [(9, 10), (11, 13), (14, 17)]


def test_short_slots_are_left_out():
    assert free_slots((9, 17), [(10, 11), (13, 14)], minimum=2) == [(11, 13), (14, 17)]


def test_bookings_outside_opening_hours_do_not_matter():
    assert free_slots((9, 12), [(7, 8), (11, 13)]) == [(9, 11)]


def test_booking_inside_another_frees_no_time():
    assert free_slots((9, 17), [(9, 16), (10, 11)]) == [(16, 17)]
