import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams, exactly once (`exactly_once_v2`): the same work as `work.py` does in PostgreSQL.
 *
 * <p>An event is kept once by key and sequence, with its type and body, and each key's events are
 * counted. The offsets and the changelogs of both stores move in one Kafka transaction, every 100 ms
 * (the default).
 *
 * <p>What differs: the state lies in RocksDB on this machine, which is not flushed at a commit, and
 * durably in two changelog topics, from which it is read again after a crash. So it is exactly once
 * inside Kafka, and nothing outside can query it or take part in the transaction. A commit is as
 * durable as a topic: the broker has it and leaves the disk to the system, where PostgreSQL waits
 * for the disk.
 *
 * <p>Java compiles while it runs, so the first 30,000 events are played before the clock starts,
 * into state of their own.
 */
public final class KafkaStreamsPeer {
  private static final String TOPIC = "attendance.events";
  private static final String EVENTS = "events";
  private static final String COUNTS = "counts";
  private static final long WARM = 30_000;

  private final String kafka;
  private final long wanted;
  private final String application = "peer-" + System.nanoTime();
  private final CountDownLatch allTaken = new CountDownLatch(1);
  private volatile long began;
  private long taken;

  private KafkaStreamsPeer(String kafka, long wanted) {
    this.kafka = kafka;
    this.wanted = wanted;
  }

  /** Words: Kafka, a database that is not used, how many events to take. */
  public static void main(String[] words) throws Exception {
    long wanted = Long.parseLong(words[2]);
    new KafkaStreamsPeer(words[0], Math.min(wanted, WARM)).seconds();
    double seconds = new KafkaStreamsPeer(words[0], wanted).seconds();
    System.out.println(
        new ObjectMapper().writeValueAsString(Map.of("events", wanted, "seconds", seconds)));
  }

  /** From the first event until the last one is committed. */
  private double seconds() throws Exception {
    Topology topology = new Topology();
    topology.addSource("source", new StringDeserializer(), new ByteArrayDeserializer(), TOPIC);
    topology.addProcessor("keep", keeping(), "source");
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka));
        KafkaStreams streams = new KafkaStreams(topology, settings())) {
      streams.setUncaughtExceptionHandler(
          error -> {
            System.err.println(error);
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
          });
      streams.start();
      allTaken.await();
      while (committed(admin) < wanted) {
        Thread.sleep(2);
      }
      return (System.nanoTime() - began) / 1e9;
    }
  }

  private Properties settings() {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, kafka);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, "state");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    return settings;
  }

  /** How many events of the topic lie below the offsets of finished transactions. */
  private long committed(Admin admin) throws Exception {
    var stable = new ListConsumerGroupOffsetsOptions().requireStable(true);
    Map<TopicPartition, OffsetAndMetadata> offsets =
        admin.listConsumerGroupOffsets(application, stable).partitionsToOffsetAndMetadata().get();
    return offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum();
  }

  private ProcessorSupplier<String, byte[], Void, Void> keeping() {
    return new ProcessorSupplier<>() {
      @Override
      public Processor<String, byte[], Void, Void> get() {
        return new Keeping();
      }

      @Override
      public Set<StoreBuilder<?>> stores() {
        return Set.of(
            Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(EVENTS), Serdes.Bytes(), Serdes.ByteArray()),
            // Cached: one count a key and commit goes to the changelog, as in a batch by hand.
            Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore(COUNTS), Serdes.Bytes(), Serdes.Long())
                .withCachingEnabled());
      }
    };
  }

  /** One for each partition; one thread, the default, runs them all. */
  private final class Keeping implements Processor<String, byte[], Void, Void> {
    private final ObjectMapper json = new ObjectMapper();
    private KeyValueStore<Bytes, byte[]> events;
    private KeyValueStore<Bytes, Long> counts;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      events = context.getStateStore(EVENTS);
      counts = context.getStateStore(COUNTS);
    }

    @Override
    public void process(Record<String, byte[]> record) {
      if (began == 0) {
        began = System.nanoTime();
      }
      UUID about = about(record);
      long sequence = Long.parseLong(new String(header(record.headers(), "ce_sequence"), UTF_8));
      if (events.putIfAbsent(place(about, sequence), kept(record)) == null) {
        Bytes key = Bytes.wrap(bytes(about));
        Long before = counts.get(key);
        counts.put(key, before == null ? 1 : before + 1);
      }
      taken++;
      if (taken == wanted) {
        allTaken.countDown();
      }
    }

    private UUID about(Record<String, byte[]> record) {
      try {
        JsonNode body = json.readTree(record.value());
        return UUID.fromString(body.path("admission_id").asText(record.key()));
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  private static Bytes place(UUID about, long sequence) {
    return Bytes.wrap(ByteBuffer.allocate(24).put(bytes(about)).putLong(sequence).array());
  }

  private static byte[] bytes(UUID about) {
    return ByteBuffer.allocate(16)
        .putLong(about.getMostSignificantBits())
        .putLong(about.getLeastSignificantBits())
        .array();
  }

  private static byte[] kept(Record<String, byte[]> record) {
    byte[] type = header(record.headers(), "ce_type");
    byte[] body = record.value();
    return ByteBuffer.allocate(1 + type.length + body.length)
        .put((byte) type.length)
        .put(type)
        .put(body)
        .array();
  }

  private static byte[] header(Headers headers, String name) {
    return headers.lastHeader(name).value();
  }
}
