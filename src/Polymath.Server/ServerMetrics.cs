using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Polymath.Generation.Batching;

namespace Polymath.Server;

/// <summary>What the server counts, and how it writes it for Prometheus (text format 0.0.4).</summary>
internal sealed class ServerMetrics
{
    private readonly Histogram _firstToken = new(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
    private readonly Histogram _nextToken = new(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5);
    private readonly ConcurrentDictionary<(string Endpoint, int Status), Counter> _requests = new();

    /// <summary>Counts a request; <paramref name="endpoint"/> is one of those there are, not what somebody sent.</summary>
    public void Request(string endpoint, int status) =>
        Interlocked.Increment(ref _requests.GetOrAdd((endpoint, status), _ => new Counter()).Value);

    /// <summary>Takes the time since the piece before, or since the start for the first one; returns the time now.</summary>
    public long Piece(long since, bool first)
    {
        long now = Stopwatch.GetTimestamp();
        (first ? _firstToken : _nextToken).Add(Stopwatch.GetElapsedTime(since, now).TotalSeconds);
        return now;
    }

    /// <summary>All of it as text.</summary>
    public string Write(EngineStatistics engine)
    {
        var text = new StringBuilder();
        Single("requests_running", "gauge", "Requests that are being worked on.", engine.Running);
        Single("requests_waiting", "gauge", "Requests that wait.", engine.Waiting);
        Single("prompt_tokens_total", "counter", "Prompt tokens computed.", engine.PromptTokens);
        Single("cached_prompt_tokens_total", "counter", "Prompt tokens that other texts had computed already.", engine.CachedTokens);
        Single("generated_tokens_total", "counter", "Tokens written.", engine.GeneratedTokens);
        Single("steps_total", "counter", "Passes through the layers.", engine.Steps);
        Single("cache_pages", "gauge", "Pages of the cache, of 128 tokens each.", engine.Pages);
        Single("cache_pages_free", "gauge", "Pages that nothing holds.", engine.FreePages);
        _firstToken.Write(text, "time_to_first_token_seconds", "Time from the start of a request to its first piece of text.");
        _nextToken.Write(text, "inter_token_seconds", "Time between two pieces of text of a request.");
        Head(text, "http_requests_total", "counter", "Requests answered.");
        foreach (((string endpoint, int status), Counter counter) in _requests.OrderBy(r => r.Key))
            Line(text, $"http_requests_total{{endpoint=\"{endpoint}\",status=\"{status}\"}}", Interlocked.Read(ref counter.Value));
        return text.ToString();

        void Single(string name, string type, string help, long value)
        {
            Head(text, name, type, help);
            Line(text, name, value);
        }
    }

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP polymath_").Append(name).Append(' ').Append(help).Append("\n# TYPE polymath_").Append(name).Append(' ').Append(type).Append('\n');

    private static void Line(StringBuilder text, string name, double value) =>
        text.Append("polymath_").Append(name).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private sealed class Counter
    {
        public long Value;
    }

    /// <summary>Counts of times up to each bound, and their sum.</summary>
    private sealed class Histogram(params double[] bounds)
    {
        private readonly Lock _lock = new();
        private readonly long[] _counts = new long[bounds.Length + 1];
        private double _sum;

        public void Add(double value)
        {
            int bucket = 0;
            while (bucket < bounds.Length && value > bounds[bucket])
                bucket++;
            lock (_lock)
            {
                _counts[bucket]++;
                _sum += value;
            }
        }

        public void Write(StringBuilder text, string name, string help)
        {
            Head(text, name, "histogram", help);
            lock (_lock)
            {
                long count = 0;
                for (int i = 0; i < _counts.Length; i++)
                {
                    count += _counts[i];
                    string bound = i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
                    Line(text, $"{name}_bucket{{le=\"{bound}\"}}", count);
                }

                Line(text, $"{name}_sum", _sum);
                Line(text, $"{name}_count", count);
            }
        }
    }
}
