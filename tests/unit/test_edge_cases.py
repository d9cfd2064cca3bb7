"""Failures that systems of this kind had, each with the tests that hold us to doing better."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

EDGE_CASES: dict[str, tuple[str, ...]] = {
    "the same webhook twice": ("test_an_event_that_comes_twice_changes_nothing",),
    "left of an old connection after a re-join": (
        "test_a_leave_of_an_old_connection_is_not_the_new_ones",
    ),
    "left without joined, joined without left": (
        "test_order_and_repetition_make_no_difference",
        "test_who_is_listed_was_there_and_who_is_not_left",
    ),
    "recorders join as participants": ("test_what_is_not_about_shares_makes_no_facts",),
    "down while a share started or stopped": (
        "test_heals_when_the_service_was_down_while_a_share_began",
    ),
    "unpublish before publish": ("test_a_track_that_ended_never_comes_back",),
    "signatures of every wrong kind": (
        "test_what_cannot_be_verified_is_401",
        "test_a_huge_body_is_413",
        "test_keys_can_be_rotated",
    ),
    "only screen shares; several of one user": (
        "test_what_is_not_about_shares_makes_no_facts",
        "test_two_shares_of_one_room_are_two_buffers",
        "test_pairs",
    ),
    "unknown events and fields": ("test_what_is_not_about_shares_makes_no_facts",),
    "share audio that comes late": (
        "test_goes_on_with_audio_that_comes_late",
        "test_decides",
    ),
    "the track is gone before the start": (
        "test_a_share_toggled_within_a_second_leaves_exactly_one_egress",
    ),
    "no egress worker": ("test_says_that_no_worker_is_free_and_records_when_one_is",),
    "the start times out and the egress runs": (
        "test_adopts_an_egress_whose_start_was_answered_too_late",
        "test_whatever_is_lost_ends_in_one_egress_or_none",
    ),
    "toggled on, off, on": (
        "test_a_share_toggled_within_a_second_leaves_exactly_one_egress",
        "test_a_share_toggled_ten_times_leaves_nothing_behind",
    ),
    "every answer to a stop": ("test_decides", "test_a_ghost_is_replaced_and_never_stopped"),
    "the egress ends by itself": ("test_restarts_at_once_when_the_egress_dies",),
    "video unpublished while audio lives": ("test_stops_although_the_audio_of_the_share_lives_on",),
    "odd and tiny sizes": ("test_a_share_of_any_size_has_a_valid_encoding",),
    "names of any kind": (
        "test_names_of_any_kind_never_lead_outside_and_never_collide",
        "test_names_never_collide_or_lead_anywhere",
    ),
    "a long share is no orphan; nothing is killed on silence": (
        "test_a_service_that_is_killed_goes_on_with_the_same_egress",
        "test_nothing_is_concluded_when_livekit_does_not_answer",
    ),
    "segments growing, playlists torn": (
        "test_a_torn_read_gives_the_entries_whose_lines_are_complete",
        "test_playlists_that_are_empty_for_a_moment_change_nothing",
    ),
    "silent file events": ("test_where_file_events_are_silent_scans_find_everything",),
    "files of another owner": (
        "test_a_segment_that_may_not_be_read_is_quarantined",
        "test_a_file_that_can_not_be_deleted_stays_marked_and_the_rest_goes",
    ),
    "active and no segment": ("test_an_egress_that_is_active_and_brings_nothing_is_stalled",),
    "segments of other lengths, steps in time": (
        "test_a_hole_within_a_segment_is_kept_in_time",
        "test_refuses_a_segment_that_steps_back",
    ),
    "a playlist that has grown for hours": (
        "test_a_listed_segment_that_is_too_old_to_be_offered_is_just_removed",
    ),
    "rows without files, files without rows": (
        "test_a_repair_that_would_take_more_than_half_of_everything_stops_and_asks",
        "test_rows_whose_files_are_gone_become_gaps",
    ),
    "a window longer than the buffer, an empty buffer": (
        "test_a_longer_window_than_the_buffer_is_clamped_and_said",
        "test_an_empty_buffer_says_when_to_try_again",
    ),
    "drift at every boundary": ("test_any_window_shows_what_was_there",),
    "a seek that leaves sound without picture": ("test_shows_the_right_picture_at_any_time",),
    "sessions that do not fit together": (
        "test_refuses_what_does_not_fit_and_offers_the_widest",
        "test_a_change_of_size_fails_and_names_the_widest_window",
    ),
    "an edit list hides and keeps": ("test_only_the_window_is_in_the_file",),
    "cleanup, the share's end, a killed worker during a capture": (
        "test_a_pin_that_comes_while_a_segment_is_marked_unmarks_it",
        "test_a_share_that_ends_meanwhile_gives_what_is_there",
        "test_a_worker_killed_at_any_step_leaves_one_clip_in_the_end",
    ),
    "disk full while writing": (
        "test_a_full_disk_fails_the_capture_at_any_byte_and_leaves_nothing",
    ),
    "many captures, the last byte of a quota": (
        "test_ten_captures_at_once_are_all_made",
        "test_of_many_that_fight_over_the_last_bytes_the_sum_never_exceeds_the_quota",
    ),
    "ffmpeg absent, hanging, killed, loud": (
        "test_an_absent_program_is_named",
        "test_a_run_that_gets_no_further_is_ended_with_all_it_started",
        "test_ten_megabytes_of_stderr_neither_block_nor_fill_the_memory",
    ),
    "titles of any kind": ("test_a_title_is_one_line_of_plain_text",),
    "what players need": (
        "test_ranges_put_together_are_the_whole",
        "test_the_last_seconds_play_by_their_url_alone",
    ),
    "restarts of Redis, MongoDB, LiveKit": (
        "test_goes_on_when_both_stores_are_killed",
        "test_records_again_when_livekit_was_restarted",
    ),
    "a disk nearly full": (
        "test_when_space_is_short_the_fullest_buffers_lose_first",
        "test_windows_shrink_only_until_there_is_enough_space",
    ),
    "two replicas of everything": (
        "test_two_indexers_share_the_work_and_index_nothing_twice",
        "test_two_workers_with_the_same_job_make_one_clip",
        "test_what_recurs_is_asked_for_once_per_period",
    ),
}


def known_tests() -> set[str]:
    """Names of all test functions of the project."""
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


KNOWN = known_tests()


@pytest.mark.parametrize("case", EDGE_CASES)
def test_has_its_tests(case: str) -> None:
    """Each known way to fail is held by tests that exist."""
    assert [name for name in EDGE_CASES[case] if name not in KNOWN] == []
