package fenghuo;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/**
 * The small job in Kafka Streams: sums per customer and day in daily windows, exactly once, as its DSL guide has it.
 *
 * <p>Settings that help it: an in-memory store, the record cache on and at 64 MiB, one commit a second instead of ten, larger
 * polls. One stream thread, as every engine here has one. Record timestamps are the events' own, so it need not parse them.
 */
public final class SmallJob {
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Transaction(String event_id, String customer_id, String occurred_at, String amount) {
    long minor() {
      return Long.parseLong(amount.replace(".", ""));
    }
  }

  public static void main(String[] arguments) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("BENCH_GROUP"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_SERVERS"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, "streams-state");
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);

    Duration day = Duration.ofDays(1);
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(System.getenv("BENCH_TOPIC"), Consumed.with(Serdes.String(), transactions()))
        .groupByKey(Grouped.with(Serdes.String(), transactions()))
        .windowedBy(TimeWindows.ofSizeWithNoGrace(day))
        .aggregate(
            () -> 0L,
            (customer, transaction, sum) -> sum + transaction.minor(),
            Materialized.<String, Long>as(Stores.inMemoryWindowStore("sums", Duration.ofDays(400), day, false))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long())
                .withCachingEnabled());

    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(4))));
    streams.start();
  }

  private static Serde<Transaction> transactions() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectReader reader = mapper.readerFor(Transaction.class);
    return Serdes.serdeFrom(
        (topic, transaction) -> {
          try {
            return mapper.writeValueAsBytes(transaction);
          } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
          }
        },
        (topic, bytes) -> {
          try {
            return reader.readValue(bytes);
          } catch (IOException wrong) {
            throw new UncheckedIOException(wrong);
          }
        });
  }

  private SmallJob() {}
}
