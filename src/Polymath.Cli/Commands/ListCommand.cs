using System.CommandLine;
using System.Globalization;
using Polymath.Hub;

namespace Polymath.Cli.Commands;

/// <summary>Lists the models in the cache.</summary>
internal sealed class ListCommand : CliCommand
{
    private readonly Option<bool> _json = Declare.Switch("--json", "One JSON object, with paths, commits and exact sizes.");

    public ListCommand()
        : base("ls", "List the models that were pulled.")
    {
        AddGroup("Options", _json);
        Notes = ["Downloads that were begun and not finished are counted on standard error."];
        AddExample("polymath ls", "Name, quant, size, and how long ago each was pulled.");
    }

    public override int Execute(ParseResult parse, Terminal terminal)
    {
        var cache = new ModelCache(ModelArgument.Options(terminal).Folder);
        IReadOnlyList<CachedModel> models = cache.List();
        (int files, long bytes) = cache.Unfinished();
        if (parse.GetValue(_json))
        {
            WriteJson(cache, models, bytes, terminal);
            return ExitCode.Success;
        }

        var table = new TextTable("", "", "", "");
        foreach (CachedModel model in models)
            table.Add(model.Repository, model.Quant, Figures.Bytes(model.Size), Age(DateTimeOffset.UtcNow - model.Pulled));
        table.WritePlain(terminal.Out, firstRight: 2);
        if (models.Count == 0)
            terminal.Error.WriteLine("no models here yet; get one with: polymath pull USER/REPO");
        if (files > 0)
        {
            terminal.Error.WriteLine(
                $"{files} unfinished, {Figures.Bytes(bytes)}: go on with polymath pull, or remove with polymath rm --unfinished");
        }

        return ExitCode.Success;
    }

    /// <summary>How long ago, in the largest unit that gives at least one.</summary>
    internal static string Age(TimeSpan age)
    {
        (double count, string unit) = age switch
        {
            { TotalDays: >= 365 } => (age.TotalDays / 365, "year"),
            { TotalDays: >= 30 } => (age.TotalDays / 30, "month"),
            { TotalDays: >= 7 } => (age.TotalDays / 7, "week"),
            { TotalDays: >= 1 } => (age.TotalDays, "day"),
            { TotalHours: >= 1 } => (age.TotalHours, "hour"),
            { TotalMinutes: >= 1 } => (age.TotalMinutes, "minute"),
            _ => (0, ""),
        };
        return unit.Length == 0 ? "just now" : string.Create(CultureInfo.InvariantCulture, $"{(int)count} {unit}{((int)count == 1 ? "" : "s")} ago");
    }

    private static void WriteJson(ModelCache cache, IReadOnlyList<CachedModel> models, long unfinished, Terminal terminal) =>
        Json.WriteObject(terminal, indented: true, writer =>
        {
            writer.WriteString("folder", cache.Folder);
            writer.WriteNumber("unfinished_bytes", unfinished);
            writer.WriteStartArray("models");
            foreach (CachedModel model in models)
            {
                writer.WriteStartObject();
                writer.WriteString("name", model.Name);
                writer.WriteString("repository", model.Repository);
                writer.WriteString("quant", model.Quant);
                writer.WriteNumber("bytes", model.Size);
                writer.WriteNumber("files", model.Files);
                writer.WriteString("commit", model.Commit);
                writer.WriteString("pulled", model.Pulled.UtcDateTime);
                writer.WriteString("path", model.Path);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
}
