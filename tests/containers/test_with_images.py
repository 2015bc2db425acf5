"""Journeys that speak with Handrail from outside alone, with the images: HTTP, Kafka, MLLP, FHIR, page."""

from tests.journeys.test_fhir import test_a_client_reads_a_person_in_all_three_services
from tests.journeys.test_hl7_in import (
    records,
    test_an_end_taken_back_is_watched_again_and_an_admission_taken_back_is_not,
)
from tests.journeys.test_hl7_siu import (
    scheduler,
    test_who_does_not_come_is_missed_and_a_concern_says_so,
)
from tests.journeys.test_page_roster import test_a_roster_of_another_programme_is_not_there
from tests.journeys.test_the_whole_chain import (
    test_an_alert_says_why_and_whom_to_everyone_who_listens,
    test_nobody_is_let_go_from_the_first_miss_to_the_next_place,
    test_the_same_command_sent_twice_is_one_miss,
)

__all__ = [
    "records",
    "scheduler",
    "test_a_client_reads_a_person_in_all_three_services",
    "test_a_roster_of_another_programme_is_not_there",
    "test_an_alert_says_why_and_whom_to_everyone_who_listens",
    "test_an_end_taken_back_is_watched_again_and_an_admission_taken_back_is_not",
    "test_nobody_is_let_go_from_the_first_miss_to_the_next_place",
    "test_the_same_command_sent_twice_is_one_miss",
    "test_who_does_not_come_is_missed_and_a_concern_says_so",
]
