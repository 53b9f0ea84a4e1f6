-- Files that a week could not even record: of an unknown partner, unreadable, without a usable
-- contract. The ledger of files does not have them.
alter table publishing.weeks add column files_not_landed integer not null default 0;
