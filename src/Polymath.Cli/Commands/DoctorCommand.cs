using System.CommandLine;
using Polymath.Files;

namespace Polymath.Cli.Commands;

/// <summary>Says what this machine can do and whether a model fits it.</summary>
internal sealed class DoctorCommand : CliCommand
{
    private readonly Argument<string?> _model = Declare.Optional(
        "MODEL", $"{ModelArgument.Forms} (default: ${DefaultModel.Variable}, else the model in models/, else the machine alone).");
    private readonly CacheOptions _cache = new();
    private readonly Option<int> _threads = Declare.Integer(["--threads", "-t"], "N", "Threads to measure with; 0 for one per processor", 0, most: 1024);
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object, sizes in bytes.");

    public DoctorCommand()
        : base("doctor", "Tell what this machine can do, whether a model fits it, and how fast it can be at most.")
    {
        Add(_model);
        AddGroup("Options", _cache.Context, _cache.Keys, _cache.Values, _threads, _json);
        Notes =
        [
            "Measures for about half a second and reads of the model no more than its head. The speed of decoding is an upper bound: the measured "
            + "reading over what is read for one token. Exit code 1 where run would refuse the model: not supported, or too large for this machine.",
        ];
        AddExample("polymath doctor model.gguf -c 32768", "Does it fit with a long context?");
        AddExample("polymath doctor model.gguf -c 32768 --cache-type-k Q8_0 --cache-type-v Q8_0", "And with a smaller cache?");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        using WeightSource? source = Path(parse.GetValue(_model), terminal) is { } path ? WeightSource.Open(path) : null;
        ModelReport? model = source is null ? null : new ModelReport(source, _cache.Read(parse));
        MachineReport machine = MachineReport.Make(parse.GetValue(_threads), terminal);
        if (parse.GetValue(_json))
        {
            Json.WriteObject(terminal, indented: true, writer =>
            {
                writer.WriteString("version", CommandLine.Version);
                machine.Write(writer, "machine", terminal);
                model?.Write(writer, "model", machine);
            });
        }
        else
        {
            Write("machine", machine.Facts(terminal), terminal);
            if (model is not null)
            {
                terminal.Out.WriteLine();
                Write(Printable.OneLine(source!.Path), model.Facts(machine), terminal);
            }
        }

        return model?.Runs(machine.Memory) == false ? ExitCode.Failure : ExitCode.Success;
    }

    /// <summary>The model's path; null where none is named and there is no default.</summary>
    private static string? Path(string? given, Terminal terminal)
    {
        try
        {
            return ModelArgument.Resolve(given, terminal);
        }
        catch (FileNotFoundException) when (string.IsNullOrEmpty(given))
        {
            return null;
        }
    }

    private static void Write(string title, IEnumerable<(string Name, string Value)> facts, Terminal terminal)
    {
        terminal.Out.WriteLine(title);
        var table = new TextTable("", "");
        foreach ((string name, string value) in facts)
            table.Add(name, Printable.OneLine(value));
        table.WritePlain(terminal.Out, firstRight: 2);
    }
}
