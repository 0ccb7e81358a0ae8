using System.Globalization;
using System.Text.Json;
using Polymath.Files;
using Polymath.Models;

namespace Polymath.Cli;

/// <summary>The description of a model file as JSON.</summary>
internal static class ShowJson
{
    /// <summary>Writes the object; of each array at most <paramref name="elements"/> elements, with the count beside.</summary>
    public static void Write(WeightSource source, int elements, Terminal terminal) =>
        Json.WriteObject(terminal, indented: true, writer =>
        {
            writer.WriteString("path", source.Path);
            writer.WriteString("kind", ModelSummary.Kind(source));
            writer.WriteNumber("bytes", ModelSummary.FileBytes(source));
            writer.WriteString("architecture", source.Metadata.GetString("general.architecture"));
            writer.WriteNumber("parameters", ModelSummary.Parameters(source));
            WriteSettings(source, writer);
            writer.WriteStartObject("metadata");
            foreach ((string key, MetadataValue value) in source.Metadata)
            {
                writer.WritePropertyName(key);
                WriteValue(value, elements, writer);
            }

            writer.WriteEndObject();
            writer.WriteStartArray("tensors");
            foreach (TensorInfo tensor in source.Tensors)
                WriteTensor(tensor, writer);
            writer.WriteEndArray();
        });

    private static void WriteSettings(WeightSource source, Utf8JsonWriter writer)
    {
        if (source.Tensors.Count == 0)
            return;
        (ModelSettings? settings, string problem) = ModelSummary.Settings(source);
        if (settings is null)
        {
            writer.WriteString("settings_problem", problem);
            return;
        }

        writer.WriteStartObject("settings");
        foreach ((string name, double value) in ModelSummary.List(settings))
            writer.WriteNumber(name, value);
        writer.WriteEndObject();
    }

    private static void WriteTensor(TensorInfo tensor, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("name", tensor.Name);
        writer.WriteString("format", GgmlTypes.Name(tensor.FormatId));
        writer.WriteBoolean("supported", tensor.IsSupported);
        writer.WriteStartArray("shape");
        foreach (long size in tensor.Dimensions.Reverse())
            writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteNumber("bytes", tensor.ByteLength);
        writer.WriteEndObject();
    }

    private static void WriteValue(MetadataValue value, int elements, Utf8JsonWriter writer)
    {
        if (value.Value is not Array array)
        {
            WriteScalar(value.Value, writer);
            return;
        }

        bool cut = array.Length > elements;
        if (cut)
        {
            writer.WriteStartObject();
            writer.WriteNumber("count", array.Length);
            writer.WritePropertyName("first");
        }

        writer.WriteStartArray();
        for (int i = 0; i < Math.Min(array.Length, elements); i++)
        {
            if (array.GetValue(i) is MetadataValue inner)
                WriteValue(inner, elements, writer);
            else
                WriteScalar(array.GetValue(i)!, writer);
        }

        writer.WriteEndArray();
        if (cut)
            writer.WriteEndObject();
    }

    private static void WriteScalar(object value, Utf8JsonWriter writer)
    {
        switch (value)
        {
            case string text: writer.WriteStringValue(text); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case float number when float.IsFinite(number): writer.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): writer.WriteNumberValue(number); break;
            case float or double: writer.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
            case ulong number: writer.WriteNumberValue(number); break;
            default: writer.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
        }
    }
}
