-- From when on a notice was to be sent; what waits for staffed hours is not late. Null: from the first.
alter table notices add column wanted_at timestamptz;
