using System.Text.Encodings.Web;
using System.Text.Json;

namespace Polymath.Cli;

/// <summary>JSON on standard output, written forward so that neither reflection nor a tree is needed.</summary>
internal static class Json
{
    /// <summary>Writes one JSON object and a line break.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="indented">A line for each property, for people.</param>
    /// <param name="body">Writes the properties.</param>
    public static void WriteObject(Terminal terminal, bool indented, Action<Utf8JsonWriter> body)
    {
        terminal.Out.Flush();
        var options = new JsonWriterOptions { Indented = indented, NewLine = "\n", Encoder = JavaScriptEncoder.Default };
        using (var writer = new Utf8JsonWriter(terminal.Output, options))
        {
            writer.WriteStartObject();
            body(writer);
            writer.WriteEndObject();
        }

        terminal.Output.Write("\n"u8);
    }

    /// <summary>Writes an array of numbers under a name.</summary>
    public static void WriteNumbers(this Utf8JsonWriter writer, string name, ReadOnlySpan<int> values)
    {
        writer.WriteStartArray(name);
        foreach (int value in values)
            writer.WriteNumberValue(value);
        writer.WriteEndArray();
    }

    /// <summary>Writes an array of numbers under a name; each is the shortest text that reads back to the same bits.</summary>
    public static void WriteNumbers(this Utf8JsonWriter writer, string name, ReadOnlySpan<float> values)
    {
        writer.WriteStartArray(name);
        foreach (float value in values)
            writer.WriteNumberValue(value);
        writer.WriteEndArray();
    }
}
