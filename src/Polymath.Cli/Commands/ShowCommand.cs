using System.CommandLine;
using Polymath.Files;

namespace Polymath.Cli.Commands;

/// <summary>Describes a model file.</summary>
internal sealed class ShowCommand : CliCommand
{
    private readonly Argument<string?> _model = Declare.Optional("MODEL", "GGUF file or Hugging Face folder.");

    public ShowCommand()
        : base("show", "Describe a model: metadata, settings, tensors.")
    {
        Add(_model);
        AddExample("polymath show model.gguf", "Print everything that is in the file.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        using var source = WeightSource.Open(parse.GetValue(_model) ?? throw new UsageException("no model"));
        terminal.Out.WriteLine(source.Path);
        return ExitCode.Success;
    }
}
