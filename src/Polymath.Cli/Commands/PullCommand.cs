using System.CommandLine;
using Polymath.Hub;

namespace Polymath.Cli.Commands;

/// <summary>Downloads a model.</summary>
internal sealed class PullCommand : CliCommand
{
    private readonly Argument<string> _model = Declare.Required("MODEL", "USER/REPO, or USER/REPO:QUANT for one of its files.");
    private readonly Option<bool> _offline = Declare.Switch("--offline", "Use no network: only say where the model is.");

    public PullCommand()
        : base("pull", "Download a model from huggingface.co. Its path goes to standard output.")
    {
        Add(_model);
        AddGroup("Options", _offline);
        Notes =
        [
            "Without QUANT the best that fits the free memory is chosen: Q4_K_M, else Q4_0, Q5_K_M and so on. QUANT may also be "
            + "a GGUF file's name without .gguf, or \"safetensors\" for the Hugging Face folder, which is taken by itself where there is "
            + "no GGUF file.",
            "A download that was cut off goes on where it stopped. Every file is checked against its hash, and a model is "
            + "there when all of it is.",
            "Environment: " + string.Join(" ", HubOptions.Variables.Select(v => $"{v.Name}: {v.Meaning}")),
        ];
        AddExample("polymath pull bartowski/SmolLM2-360M-Instruct-GGUF", "A sensible choice of its files.");
        AddExample("polymath pull bartowski/SmolLM2-360M-Instruct-GGUF:Q8_0", "This one.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string text = parse.GetValue(_model)!;
        if (!ModelName.TryParse(text, out ModelName? name))
            throw new UsageException($"\"{text}\" is no model's name; one reads USER/REPO or USER/REPO:QUANT");
        CachedModel model = ModelArgument.Pull(name, ModelArgument.Options(terminal, parse.GetValue(_offline)), terminal);
        terminal.Out.WriteLine(model.Path);
        return ExitCode.Success;
    }
}
