using System.Diagnostics;
using System.Globalization;

namespace Polymath.Benchmarks;

/// <summary>
/// Cold start: from the start of the process to the first byte of the first token on standard output, and to the end of
/// an answer of one token, with the default model. The file is in the system's cache; nothing else is kept from run to run.
/// </summary>
internal static class StartSpeed
{
    private const int UsualRuns = 20;
    private static readonly string[] s_arguments = ["run", "Once", "-n", "1", "--temp", "0"];

    /// <summary>Measures the programs named, or the compiled command line in dotnet and the published one if there is one.</summary>
    /// <param name="args">Runs of each first if it is a number; then programs, of which .dll ones are run by dotnet.</param>
    public static int Run(string[] args)
    {
        int runs = UsualRuns;
        if (args is [string count, ..] && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0)
            (runs, args) = (number, args[1..]);
        string[] programs = args.Length > 0 ? args : [typeof(Cli.CommandLine).Assembly.Location, .. Published()];
        Console.WriteLine("| program | first token, ms, median (least–most) | end, ms |\n|---|---|---|");
        foreach (string program in programs)
        {
            var first = new double[runs];
            var end = new double[runs];
            Once(program);   // brings the files into the system's cache
            for (int i = 0; i < runs; i++)
                (first[i], end[i]) = Once(program);
            Console.WriteLine($"| {Path.GetFileName(program)} | {Spread(first)} | {Spread(end)} |");
        }

        return 0;
    }

    private static (double First, double End) Once(string program)
    {
        bool managed = program.EndsWith(".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo(managed ? "dotnet" : program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in managed ? [program, .. s_arguments] : s_arguments)
            start.ArgumentList.Add(argument);
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new IOException($"{program} did not start");
        int read = process.StandardOutput.BaseStream.ReadByte();
        double first = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double end = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return read >= 0 && process.ExitCode == 0
            ? (first, end)
            : throw new IOException($"{program} gave {process.ExitCode}: {process.StandardError.ReadToEnd().Trim()}");
    }

    private static string Spread(double[] values)
    {
        Array.Sort(values);
        return string.Create(CultureInfo.InvariantCulture, $"{values[values.Length / 2]:0.0} ({values[0]:0.0}–{values[^1]:0.0})");
    }

    /// <summary>What dotnet publish made, beside the folder of the builds.</summary>
    private static IEnumerable<string> Published()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string publish = Path.Combine(folder.FullName, "publish", "Polymath.Cli");
            if (Directory.Exists(publish))
                return Directory.GetDirectories(publish).SelectMany(d => Directory.GetFiles(d, "polymath*")).Where(f => Path.GetExtension(f) is "" or ".exe");
        }

        return [];
    }
}
