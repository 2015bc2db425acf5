-- What our Kafka lets a subscriber do with its own topic; nothing stands here for the others.
alter table subscribers add column topic text check (topic in ('open', 'shut', 'gone'));
