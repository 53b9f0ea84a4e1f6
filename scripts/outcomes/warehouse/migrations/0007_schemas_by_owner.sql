-- Each table of the ledger moves to the schema of its owner; landing keeps what landing writes.
-- Rows, keys and rights move along. The functions follow by their files (migrations.py).
create schema if not exists publishing;
create schema if not exists linking;
create schema if not exists privacy;
create schema if not exists warehouse;

alter table landing.runs set schema publishing;
alter table landing.run_relations set schema publishing;
alter table landing.redefined_relations set schema publishing;
alter table landing.measure_history set schema publishing;
alter table landing.weeks set schema publishing;

alter table landing.link_decisions set schema linking;
alter table linking.link_decisions rename to decisions;

alter table landing.disclosures set schema privacy;
alter table landing.purges set schema privacy;
alter table landing.pseudonym_key set schema privacy;

alter table landing.migrations set schema warehouse;
alter table landing.upgrades set schema warehouse;

-- An upgrade by an earlier release looks here, and refuses migrations that it does not know.
-- Without them it would make its tables again. Only the owner upgrades, so nobody else reads it.
create view landing.migrations with (security_invoker = true) as
select * from warehouse.migrations;
