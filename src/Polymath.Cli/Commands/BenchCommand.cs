using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Cli.Commands;

/// <summary>Measures the speed of a model.</summary>
internal sealed class BenchCommand : CliCommand
{
    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/).");
    private readonly Option<int> _prompt = Declare.Integer(["--prompt", "-p"], "N", "Tokens of the prompt test; 0 to leave it out", 512, most: 1 << 20);
    private readonly Option<int> _decode = Declare.Integer(["--tokens", "-n"], "N", "Tokens of the decode test; 0 to leave it out", 128, most: 1 << 20);
    private readonly Option<int> _depth = Declare.Integer(["--depth", "-d"], "N", "Tokens that are in the cache before each run", 0, most: 1 << 20);
    private readonly Option<int> _texts = Declare.Integer(["--batch", "-b"], "N", "Texts of the decode test, written together", 1, least: 1, most: 256);
    private readonly Option<int> _repeats = Declare.Integer(["--repeats", "-r"], "N", "Measured runs of each test", 5, least: 1, most: 1000);
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);
    private readonly CacheOptions _cache = new();
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object with the time of every run, in seconds.");

    public BenchCommand()
        : base("bench", "Measure speed: reading a prompt (pp) and writing token by token (tg).")
    {
        Add(_model);
        AddGroup("Options", _prompt, _decode, _depth, _texts, _repeats, _threads, _cache.Keys, _cache.Values, _json);
        Notes =
        [
            "Random tokens, one run to warm up, then mean ± standard deviation of the measured runs, as llama-bench does.",
            "GB/s is what writing reads: weights, once for all texts of a step, and cache. The share is of what this machine's memory "
            + "gives at best, measured before and after the runs with the same threads; a model that fits the processor's cache can be above it.",
        ];
        AddExample("polymath bench model.gguf -t 2", "Both tests with two threads.");
        AddExample("polymath bench model.gguf -p 0 -b 8", "Eight texts written together.");
        AddExample("polymath bench model.gguf -d 8192", "Both tests behind 8,192 tokens.");
    }

    /// <summary>One test.</summary>
    /// <param name="Name">As in the table.</param>
    /// <param name="Tokens">Tokens in a run, of all texts.</param>
    /// <param name="Depth">Tokens in the cache before it.</param>
    /// <param name="Texts">Texts written together.</param>
    /// <param name="Bytes">Bytes read from memory in a run, at least; 0 where memory is not what bounds it.</param>
    /// <param name="Seconds">Seconds of each run.</param>
    internal sealed record Test(string Name, int Tokens, int Depth, int Texts, double Bytes, double[] Seconds)
    {
        /// <summary>Mean tokens/s.</summary>
        public double Mean => Seconds.Average(s => Tokens / s);

        /// <summary>Mean bytes/s.</summary>
        public double Reading => Seconds.Average(s => Bytes / s);

        /// <summary>Standard deviation of tokens/s over the runs; 0 for one run.</summary>
        public double Deviation
        {
            get
            {
                double mean = Mean;
                return Seconds.Length < 2 ? 0 : Math.Sqrt(Seconds.Sum(s => Math.Pow((Tokens / s) - mean, 2)) / (Seconds.Length - 1));
            }
        }
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        int prompt = parse.GetValue(_prompt), decode = parse.GetValue(_decode), depth = parse.GetValue(_depth);
        int texts = parse.GetValue(_texts), repeats = parse.GetValue(_repeats);
        if (prompt == 0 && decode == 0)
            throw new UsageException("nothing to measure: both -p and -n are 0");
        SessionOptions options = _cache.Read(parse) with { ContextLength = depth + Math.Max(prompt, decode) };
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        using Model model = Sessions.Load(path, parse.GetValue(_threads), _ => options, terminal);
        double reading = MeasureReading(model, terminal);
        var tests = new List<Test>();
        if (prompt > 0)
            tests.Add(MeasurePrompt(model, options, prompt, depth, repeats, terminal));
        if (decode > 0)
            tests.Add(MeasureDecode(model, options, decode, depth, texts, repeats, terminal));
        reading = Math.Max(reading, MeasureReading(model, terminal));
        if (parse.GetValue(_json))
            WriteJson(model, tests, reading, terminal);
        else
            WriteTable(model, tests, reading, terminal);
        return ExitCode.Success;
    }

    private static Test MeasurePrompt(Model model, SessionOptions options, int tokens, int depth, int repeats, Terminal terminal)
    {
        using Session session = Sessions.Open(model, options);
        int[] ids = RandomIds(model, tokens), before = RandomIds(model, depth);
        double[] seconds = Measure(repeats, [session], before, () => session.Forward(ids, terminal.Cancellation), terminal.Cancellation);
        return new Test(NameOf("pp", tokens, depth, 1), tokens, depth, 1, 0, seconds);
    }

    private static Test MeasureDecode(Model model, SessionOptions options, int tokens, int depth, int texts, int repeats, Terminal terminal)
    {
        RequireMemory(model, options, texts, terminal);
        Session[] sessions = new Session[texts];
        try
        {
            for (int i = 0; i < texts; i++)
                sessions[i] = Sessions.Open(model, options);
            using Batch batch = model.NewBatch(texts, texts);
            int[] ids = RandomIds(model, tokens * texts), before = RandomIds(model, depth);
            double[] seconds = Measure(repeats, sessions, before, () =>
            {
                for (int i = 0; i < ids.Length; batch.Forward(terminal.Cancellation))
                {
                    foreach (Session session in sessions)
                        batch.Add(session, ids.AsSpan(i++, 1));
                }
            }, terminal.Cancellation);
            return new Test(NameOf("tg", tokens, depth, texts), ids.Length, depth, texts, BytesOf(model, options, tokens, depth, texts), seconds);
        }
        finally
        {
            foreach (Session? session in sessions)
                session?.Dispose();
        }
    }

    /// <summary>Loading has looked at one text alone.</summary>
    private static void RequireMemory(Model model, SessionOptions options, int texts, Terminal terminal)
    {
        double caches = (double)model.CacheBytes(options) * (texts - 1);
        if (caches > terminal.Memory().Free)
            throw new InvalidOperationException($"{texts} texts take {Figures.Bytes((long)caches)} of cache more, {Figures.Bytes(terminal.Memory().Free)} are free");
    }

    /// <summary>Seconds of each run; one more warms up. The texts hold <paramref name="before"/> at the start of each.</summary>
    private static double[] Measure(int repeats, Session[] sessions, int[] before, Action run, CancellationToken cancellation)
    {
        double[] seconds = new double[repeats];
        for (int i = -1; i < repeats; i++)
        {
            foreach (Session session in sessions)
            {
                if (session.Rewind(Math.Min(before.Length, session.Position)) < before.Length)
                    session.Forward(before.AsSpan(session.Position), cancellation);
            }

            long start = Stopwatch.GetTimestamp();
            run();
            if (i >= 0)
                seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return seconds;
    }

    /// <summary>Bytes a second that memory gives to the threads of the model; the buffer is gone when the tests run.</summary>
    private static double MeasureReading(Model model, Terminal terminal)
    {
        using var memory = new MemoryBandwidth(model.Team, terminal.Memory().Free);
        return memory.Measure(model.Team);
    }

    /// <summary>What decoding reads: the weights once a step, the cache of each text.</summary>
    private static double BytesOf(Model model, SessionOptions options, int tokens, int depth, int texts)
    {
        ModelOutline outline = ModelOutline.Read(model.Source);
        double weights = outline.BytesPerToken(0, options), sum = 0;
        for (int i = 0; i < tokens; i++)
            sum += weights + (texts * (outline.BytesPerToken(depth + i, options) - weights));
        return sum;
    }

    private static string NameOf(string kind, int tokens, int depth, int texts) => string.Create(
        CultureInfo.InvariantCulture, $"{kind}{tokens}{(texts > 1 ? $" × {texts}" : "")}{(depth > 0 ? $" @ {depth}" : "")}");

    private static int[] RandomIds(Model model, int count)
    {
        var random = new Random(1);
        int[] ids = new int[count];
        foreach (ref int id in ids.AsSpan())
            id = random.Next(model.Settings.Vocabulary);
        return ids;
    }

    private static void WriteTable(Model model, List<Test> tests, double reading, Terminal terminal)
    {
        var table = new TextTable("model", "size", "params", "threads", "test", "tokens/s", "GB/s", "of memory");
        foreach (Test test in tests)
        {
            table.Add(
                Printable.Escape(ModelSummary.Name(model.Source)),
                Figures.Bytes(ModelSummary.TensorBytes(model.Source)),
                Figures.Parameters(ModelSummary.Parameters(model.Source)),
                model.Team.Count.ToString(CultureInfo.InvariantCulture),
                test.Name,
                string.Create(CultureInfo.InvariantCulture, $"{test.Mean:0.00} ± {test.Deviation:0.00}"),
                test.Bytes == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{test.Reading / 1e9:0.0}"),
                test.Bytes == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100 * test.Reading / reading:0} %"));
        }

        table.WriteMarkdown(terminal.Out, firstRight: 1);
    }

    private static void WriteJson(Model model, List<Test> tests, double reading, Terminal terminal) =>
        Json.WriteObject(terminal, indented: true, writer =>
        {
            writer.WriteString("model", ModelSummary.Name(model.Source));
            writer.WriteString("path", model.Source.Path);
            writer.WriteNumber("size", ModelSummary.TensorBytes(model.Source));
            writer.WriteNumber("parameters", ModelSummary.Parameters(model.Source));
            writer.WriteNumber("threads", model.Team.Count);
            writer.WriteString("processor", Processor.Name);
            writer.WriteString("kernels", MachineReport.Kernels);
            writer.WriteString("compiled", MachineReport.Compiled);
            writer.WriteNumber("memory_bytes_per_second", reading);
            writer.WriteStartArray("tests");
            foreach (Test test in tests)
                WriteTest(writer, test);
            writer.WriteEndArray();
        });

    private static void WriteTest(Utf8JsonWriter writer, Test test)
    {
        writer.WriteStartObject();
        writer.WriteString("test", test.Name);
        writer.WriteNumber("tokens", test.Tokens);
        writer.WriteNumber("depth", test.Depth);
        writer.WriteNumber("texts", test.Texts);
        writer.WriteNumber("tokens_per_second", test.Mean);
        writer.WriteNumber("deviation", test.Deviation);
        if (test.Bytes > 0)
            writer.WriteNumber("bytes_per_second", test.Reading);
        writer.WriteStartArray("seconds");
        foreach (double seconds in test.Seconds)
            writer.WriteNumberValue(seconds);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
