using System.CommandLine;
using Polymath.Hub;

namespace Polymath.Cli.Commands;

/// <summary>Removes models from the cache.</summary>
internal sealed class RemoveCommand : CliCommand
{
    private readonly Argument<string[]> _models = new("MODEL")
    {
        Description = "USER/REPO:QUANT, or USER/REPO for all its quants.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<bool> _unfinished = Declare.Switch("--unfinished", "Remove what is left of downloads that did not finish.");

    public RemoveCommand()
        : base("rm", "Remove models that were pulled, and free their space.")
    {
        Add(_models);
        AddGroup("Options", _unfinished);
        Notes = ["Contents that another model shares are kept."];
        AddExample("polymath rm bartowski/SmolLM2-360M-Instruct-GGUF:Q8_0", "One quant.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        string[] texts = parse.GetValue(_models) ?? [];
        bool unfinished = parse.GetValue(_unfinished);
        if (texts.Length == 0 && !unfinished)
            throw new UsageException("nothing to remove: name a model; see polymath ls");
        var names = new List<ModelName>();
        foreach (string text in texts)
        {
            if (!ModelName.TryParse(text, out ModelName? name))
                throw new UsageException($"\"{text}\" is no model's name; one reads USER/REPO or USER/REPO:QUANT");
            names.Add(name);
        }

        var cache = new ModelCache(ModelArgument.Options(terminal).Folder);
        ModelName? absent = names.Find(n => cache.Find(n) is null);
        if (absent is not null)
            throw new HubException($"{absent} is not in the cache; see polymath ls");
        foreach (CachedModel model in names.SelectMany(cache.Remove))
            terminal.Out.WriteLine($"removed {model.Name} ({Figures.Bytes(model.Size)})");
        if (unfinished)
            RemoveUnfinished(cache, terminal);
        return ExitCode.Success;
    }

    private static void RemoveUnfinished(ModelCache cache, Terminal terminal)
    {
        (int files, long bytes) = cache.Unfinished();
        cache.RemoveUnfinished();
        terminal.Out.WriteLine($"removed {files} unfinished ({Figures.Bytes(bytes)})");
    }
}
