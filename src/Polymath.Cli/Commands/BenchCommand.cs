using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Polymath.Models;

namespace Polymath.Cli.Commands;

/// <summary>Measures the speed of a model.</summary>
internal sealed class BenchCommand : CliCommand
{
    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/).");
    private readonly Option<int> _prompt = Declare.Integer(["--prompt", "-p"], "N", "Tokens of the prompt test; 0 to leave it out", 512, most: 1 << 20);
    private readonly Option<int> _decode = Declare.Integer(["--tokens", "-n"], "N", "Tokens of the decode test; 0 to leave it out", 128, most: 1 << 20);
    private readonly Option<int> _repeats = Declare.Integer(["--repeats", "-r"], "N", "Measured runs of each test", 5, least: 1, most: 1000);
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to compute with; 0 for one per processor", 0, most: 1024);
    private readonly CacheOptions _cache = new();
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object with the time of every run, in seconds.");

    public BenchCommand()
        : base("bench", "Measure speed: reading a prompt (pp) and writing token by token (tg).")
    {
        Add(_model);
        AddGroup("Options", _prompt, _decode, _repeats, _threads, _cache.Keys, _cache.Values, _json);
        Notes = ["Random tokens, one run to warm up, then mean ± standard deviation of the measured runs, as llama-bench does."];
        AddExample("polymath bench model.gguf -t 2", "Both tests with two threads.");
    }

    /// <summary>One test: its name, tokens in a run, and seconds of each run.</summary>
    internal sealed record Test(string Name, int Tokens, double[] Seconds)
    {
        /// <summary>Mean tokens/s.</summary>
        public double Mean => Seconds.Average(s => Tokens / s);

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
        int prompt = parse.GetValue(_prompt), decode = parse.GetValue(_decode), repeats = parse.GetValue(_repeats);
        if (prompt == 0 && decode == 0)
            throw new UsageException("nothing to measure: both -p and -n are 0");
        SessionOptions options = _cache.Read(parse) with { ContextLength = Math.Max(prompt, decode) };
        string path = ModelArgument.Resolve(parse.GetValue(_model), terminal);
        using Model model = Sessions.Load(path, parse.GetValue(_threads), _ => options, terminal);
        using Session session = Sessions.Open(model, options);
        var tests = new List<Test>();
        if (prompt > 0)
            tests.Add(Measure($"pp{prompt}", prompt, prompt, repeats, session, terminal.Cancellation));
        if (decode > 0)
            tests.Add(Measure($"tg{decode}", decode, 1, repeats, session, terminal.Cancellation));
        if (parse.GetValue(_json))
            WriteJson(model, tests, terminal);
        else
            WriteTable(model, tests, terminal);
        return ExitCode.Success;
    }

    /// <summary>Runs <paramref name="tokens"/> random tokens through the model, <paramref name="step"/> at a time.</summary>
    private static Test Measure(string name, int tokens, int step, int repeats, Session session, CancellationToken cancellation)
    {
        var random = new Random(1);
        int[] ids = new int[tokens];
        for (int i = 0; i < tokens; i++)
            ids[i] = random.Next(session.Model.Settings.Vocabulary);
        double[] seconds = new double[repeats];
        for (int run = -1; run < repeats; run++)   // −1 warms up
        {
            session.Rewind(0);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < tokens; i += step)
                session.Forward(ids.AsSpan(i, step), cancellation);
            if (run >= 0)
                seconds[run] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return new Test(name, tokens, seconds);
    }

    private static void WriteTable(Model model, List<Test> tests, Terminal terminal)
    {
        var table = new TextTable("model", "size", "params", "threads", "test", "tokens/s");
        foreach (Test test in tests)
        {
            table.Add(
                Printable.Escape(ModelSummary.Name(model.Source)),
                Figures.Bytes(ModelSummary.TensorBytes(model.Source)),
                Figures.Parameters(ModelSummary.Parameters(model.Source)),
                model.Team.Count.ToString(CultureInfo.InvariantCulture),
                test.Name,
                string.Create(CultureInfo.InvariantCulture, $"{test.Mean:0.00} ± {test.Deviation:0.00}"));
        }

        table.WriteMarkdown(terminal.Out, firstRight: 1);
    }

    private static void WriteJson(Model model, List<Test> tests, Terminal terminal) =>
        Json.WriteObject(terminal, indented: true, writer =>
        {
            writer.WriteString("model", ModelSummary.Name(model.Source));
            writer.WriteString("path", model.Source.Path);
            writer.WriteNumber("size", ModelSummary.TensorBytes(model.Source));
            writer.WriteNumber("parameters", ModelSummary.Parameters(model.Source));
            writer.WriteNumber("threads", model.Team.Count);
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
        writer.WriteNumber("tokens_per_second", test.Mean);
        writer.WriteNumber("deviation", test.Deviation);
        writer.WriteStartArray("seconds");
        foreach (double seconds in test.Seconds)
            writer.WriteNumberValue(seconds);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
