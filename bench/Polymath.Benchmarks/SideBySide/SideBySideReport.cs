using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Polymath.Benchmarks;

/// <summary>A Markdown table on standard output that grows as tests end, and lines of JSON in a file.</summary>
internal sealed class SideBySideReport(SideBySideOptions options)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private string _model = "";
    private bool _hasHead;
    private bool _hasBusy;

    /// <summary>A model is loaded in both.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ours">What our engine says of itself.</param>
    /// <param name="theirs">What the other says.</param>
    /// <param name="agreement">How far they continue a prompt alike.</param>
    /// <param name="bytesPerStep">Weights read for a token.</param>
    public void Begin(string path, PeerProcess ours, PeerProcess theirs, string agreement, long bytesPerStep)
    {
        _model = Path.GetFileNameWithoutExtension(path);
        Say($"{_model}: {bytesPerStep / 1e6:F1} MB of weights for a token; {agreement}");
        if (!_hasHead)
        {
            string cpu = Processor();
            Say($"{cpu}; {options.Threads} threads\n{ours.Name}: {ours.Description}\n{theirs.Name}: {theirs.Description}");
            Console.WriteLine($"""
                | model | test | {ours.Name}, tokens/s | {theirs.Name}, tokens/s | ratio | GB/s (of memory's), ours | theirs | quiet samples |
                |---|---|---|---|---|---|---|---|
                """);
            _hasHead = true;
        }

        Write(new
        {
            Kind = "model",
            Model = _model,
            Time = DateTime.UtcNow.ToString("s", CultureInfo.InvariantCulture),
            Cpu = Processor(),
            options.Threads,
            Ours = ours.Description,
            Theirs = theirs.Description,
            BytesPerToken = bytesPerStep,
            Agreement = agreement,
        });
    }

    /// <summary>One sample more.</summary>
    public void Add(SpeedTest test, Sample sample)
    {
        string bandwidth = sample.Bandwidth > 0 ? Text($", {sample.BytesPerSecond / 1e9:F1} of {sample.Bandwidth / 1e9:F1} GB/s") : "";
        string busy = sample.Counts ? "" : ": does not count";
        Say(Text($"  {test.Name} block {sample.Block}: {sample.Engine} {sample.TokensPerSecond:F1} tokens/s{bandwidth}, ")
            + Text($"others {sample.Others:P1} of a core{busy}"));
        Write(new { Kind = "sample", Model = _model, Test = test.Name, options.Threads, Sample = sample });
    }

    /// <summary>A test has ended.</summary>
    public void Add(SpeedTest test, SampleSummary ours, SampleSummary theirs)
    {
        string quiet = $"{ours.Counted}/{ours.Taken}, {theirs.Counted}/{theirs.Taken}";
        string mark = ours.Counted < options.Blocks || theirs.Counted < options.Blocks ? " *" : "";
        _hasBusy |= mark.Length > 0;
        double ratio = ours.Median / theirs.Median;
        Console.WriteLine(Text($"| {_model} | {test.Name} | {Speed(ours)} | {Speed(theirs)} | {ratio:F2}{mark} ")
            + $"| {Memory(test, ours)} | {Memory(test, theirs)} | {quiet} |");
        Write(new
        {
            Kind = "result",
            Model = _model,
            Test = test.Name,
            options.Threads,
            Ours = Result(test, ours),
            Theirs = Result(test, theirs),
            Ratio = ratio,
        });
    }

    /// <summary>After the last test.</summary>
    public void End()
    {
        if (_hasBusy)
        {
            Console.WriteLine(Text($"\n\\* fewer than {options.Blocks} samples with others under {options.Limit:P0} of a core: ")
                + "the machine was busy, and where none counts all are used.");
        }
    }

    private static string Speed(SampleSummary f) => f.Median < 100
        ? Text($"{f.Median:F1} ({f.Least:F1}–{f.Most:F1})") : Text($"{f.Median:F0} ({f.Least:F0}–{f.Most:F0})");

    private static string Memory(SpeedTest test, SampleSummary f) => test.Steps == 0 ? "" : Text($"{f.BytesPerSecond / 1e9:F1} ({f.Share:P0})");

    private static object Result(SpeedTest test, SampleSummary f) => new
    {
        f.Median,
        f.Least,
        f.Most,
        f.Counted,
        f.Taken,
        BytesPerSecond = test.Steps == 0 ? (double?)null : f.BytesPerSecond,
        Share = test.Steps == 0 ? (double?)null : f.Share,
    };

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
        ?? "unknown processor";

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static void Say(string line) => Console.Error.WriteLine(line);

    private void Write(object line)
    {
        if (options.Output is { } path)
            File.AppendAllText(path, JsonSerializer.Serialize(line, s_json) + "\n");
    }
}
