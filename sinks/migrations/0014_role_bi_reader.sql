-- requires: users
-- Who reads dashboards: no writes, no settings but the time limit, nothing that reads files or other servers.
CREATE ROLE IF NOT EXISTS bi_reader SETTINGS readonly = 1 READONLY, max_execution_time = 60 CHANGEABLE_IN_READONLY, max_memory_usage = 4000000000 READONLY
