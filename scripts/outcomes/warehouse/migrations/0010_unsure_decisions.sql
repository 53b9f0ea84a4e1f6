-- A reviewer may pass a pair on to a second one.
alter table linking.decisions
    drop constraint link_decisions_decision_check,
    add constraint link_decisions_decision_check
    check (decision in ('link', 'no_link', 'unsure', 'withdrawn'));
